"""The configuration of a run: every entry checked, and errors that name it."""

import msgspec
import pytest

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config_file import load_config, make_config, to_yaml

LEAST = {"run": "drone", "environment": {"id": "rtgym_ros/SimulatedDrone-v0"}}


def test_the_least_is_a_name_and_an_environment(tmp_path):
    config = make_config(LEAST)
    assert config.folder.parts == ("runs", "drone")
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    assert load_config(tmp_path / "config.yaml") == config


@pytest.mark.parametrize(
    ("section", "entry", "value", "said"),
    [
        ("trainer", "batchsize", 3, "unknown entry trainer.batchsize .did you mean 'batch_size'"),
        ("trainer", "batch_size", 0, r"`int` >= 1 - at `\$.trainer.batch_size`"),
        ("trainer", "max_updates_per_sample", "fast", r"at `\$.trainer.max_updates_per_sample`"),
        ("worker", "adopt", "never", r"Invalid enum value 'never' - at `\$.worker.adopt`"),
        ("server", "max_payload", 1.5, r"at `\$.server.max_payload`"),
        ("environment", "id", None, r"at `\$.environment.id`"),
    ],
)
def test_a_wrong_entry_is_named(section, entry, value, said):
    with pytest.raises(ConfigError, match=said):
        make_config({**LEAST, section: {**LEAST.get(section, {}), entry: value}})


@pytest.mark.parametrize("values", [None, [], {"run": "a b", "environment": {"id": "x"}}, {"environment": {"id": "x"}}])
def test_what_is_no_configuration_is_refused(values):
    with pytest.raises(ConfigError):
        make_config(values)


@pytest.mark.parametrize(
    ("worker", "said"),
    [
        (
            {"max_steps_per_update": 49, "initial_steps": 500},
            r"worker.max_steps_per_update must be at least 50, got 49",
        ),
        ({"max_steps_per_update": 50, "initial_steps": 99}, r"worker.initial_steps must be at least 100, got 99"),
        ({"max_steps_per_update": 50, "initial_steps": 100}, None),
        ({"initial_steps": 1}, None),
    ],
)
def test_worker_and_trainer_may_not_wait_for_each_other(worker, said):
    trainer = {"publish_interval": 100, "max_updates_per_sample": 2.0, "start_training": 100}
    values = {**LEAST, "worker": worker, "trainer": trainer}
    if said is None:
        make_config(values)
    else:
        with pytest.raises(ConfigError, match=said):
            make_config(values)


def test_overrides_are_written_as_in_yaml(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(make_config(LEAST)))
    config = load_config(path, ("trainer.agent_kwargs={gamma: 0.9}", "worker.test_interval=5", "run=other"))
    assert config.trainer.agent_kwargs == {"gamma": 0.9}
    assert (config.worker.test_interval, config.run) == (5, "other")
    with pytest.raises(ConfigError, match=r"section.entry=VALUE"):
        load_config(path, ("worker.test_interval",))
    with pytest.raises(ConfigError, match="run has no entries"):
        load_config(path, ("run.name=1",))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "nothing.yaml")
    (tmp_path / "bad.yaml").write_text("run: [")
    with pytest.raises(ConfigError, match=r"bad.yaml: while parsing"):
        load_config(tmp_path / "bad.yaml")


def test_a_configuration_cannot_be_changed():
    with pytest.raises(AttributeError, match="immutable"):
        make_config(LEAST).trainer.batch_size = 1


def test_no_entry_is_a_secret():
    names = str(msgspec.to_builtins(make_config(LEAST))).lower().replace("token_file", "")  # says where one is
    assert not any(word in names for word in ("password", "token", "secret"))
