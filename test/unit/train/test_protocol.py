"""What a sample is, and what goes over a link: the same bytes on both sides, and one line where it is not."""

import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.protocol.messages import (
    AskStatus,
    Batch,
    Publish,
    Push,
    Pushed,
    Refused,
    Release,
    Take,
    Taken,
    decode_reply,
    decode_request,
    encode,
)
from rtgym_ros.train.protocol.schema import from_columns, leaf_values, make_schema, to_columns

VELOCITY = spaces.Box(-2.0, 2.0, (2,), np.float32)
DRONE = spaces.Tuple([spaces.Box(-1.0, 1.0, (1,), np.float32)] * 4 + [VELOCITY] * 4)
SCHEMA = make_schema(DRONE, VELOCITY)


def push(**changes):
    values = {
        "worker": "w",
        "boot": "b",
        "first_seq": 0,
        "count": 0,
        "schema": SCHEMA,
        "columns": to_columns(np.zeros(0, SCHEMA.dtype)),
    }
    return Push(**{**values, **changes})


@pytest.mark.parametrize(
    "request_",
    [
        push(),
        push(first_seq=2**40, count=3, columns=to_columns(np.zeros(3, SCHEMA.dtype)), have_version=7, dropped=2),
        Take(trainer="t", schema=SCHEMA, position=5),
        Release(trainer="t", position=5),
        Publish(trainer="t", version=0, weights=b"\0\1"),
        AskStatus(),
    ],
)
def test_requests_come_back_as_they_went(request_):
    assert decode_request(encode(request_)) == request_


@pytest.mark.parametrize(
    "reply",
    [
        Pushed(next_seq=3, version=-1),
        Pushed(next_seq=3, version=4, weights=b"\xff" * 9),
        Taken(
            batches=[Batch(position=0, worker="w", boot="b", first_seq=0, count=1, columns={"x": b"1"})],
            end=1,
            version=-1,
        ),
        Refused(reason="full", retry=True),
    ],
)
def test_replies_come_back_as_they_went(reply):
    assert decode_reply(encode(reply)) == reply


@given(st.binary(max_size=200))
def test_other_bytes_are_a_protocol_error(data):
    for decode in (decode_request, decode_reply):
        with pytest.raises(ProtocolError, match="protocol 1"):
            decode(data)


def test_an_unknown_entry_is_refused():
    values = {**msgspec.to_builtins(AskStatus()), "colour": "red"}
    with pytest.raises(ProtocolError, match="colour"):
        decode_request(msgspec.msgpack.encode(values))


def test_another_version_of_the_protocol_is_named():
    with pytest.raises(ProtocolError, match="version 2 there, 1 here"):
        decode_request(encode(AskStatus(protocol=2)))


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "x" * 65, "-x"])
def test_a_worker_cannot_be_called_like_a_path(name):
    with pytest.raises(ProtocolError, match="worker"):
        decode_request(encode(push(worker=name)))


def test_a_record_has_the_leaves_of_nested_spaces_in_gymnasiums_order():
    nested = spaces.Dict(
        {"b": spaces.Tuple([VELOCITY, spaces.Discrete(3)]), "a": spaces.Box(0, 255, (4, 4, 3), np.uint8)}
    )
    schema = make_schema(nested, VELOCITY)
    assert schema.observation_names == ("observation/a", "observation/b/0", "observation/b/1")
    value = nested.sample()
    for name, leaf in zip(schema.observation_names, leaf_values(nested, value), strict=True):
        record = np.zeros(1, schema.dtype)
        record[name] = leaf
        assert np.array_equal(record[name][0], leaf)


def test_spaces_without_a_fixed_shape_are_refused():
    with pytest.raises(ConfigError, match="has no fixed shape"):
        make_schema(spaces.Tuple([spaces.Text(5)]), VELOCITY)


def test_differences_name_both_sides():
    shorter = make_schema(spaces.Tuple(DRONE.spaces[:7]), spaces.Box(-1.0, 1.0, (2,), np.float32))
    assert SCHEMA.differences(SCHEMA, "here", "there") == []
    assert SCHEMA.differences(shorter, "at the robot", "at the server") == [
        "action is <f4[2] in [-2, 2] at the robot, <f4[2] in [-1, 1] at the server",
        "observation/7 is <f4[2] in [-2, 2] at the robot, missing at the server",
    ]


def test_bounds_that_differ_in_one_element_differ():
    one, other = np.zeros(3, np.float32), np.array([0, 0, 1e-6], np.float32)
    schemas = [make_schema(spaces.Box(low, np.float32(2.0), dtype=np.float32), VELOCITY) for low in (one, other)]
    assert len(schemas[0].differences(schemas[1], "here", "there")) == 1


@given(st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_columns_carry_every_value(count, seed):
    random = np.random.default_rng(seed).bytes(count * SCHEMA.dtype.itemsize)
    records = np.frombuffer(random, SCHEMA.dtype)
    back = from_columns(SCHEMA, to_columns(records), count)
    for name in SCHEMA.dtype.names:
        assert back[name].tobytes() == records[name].tobytes()


def test_columns_of_another_length_or_name_are_refused():
    columns = to_columns(np.zeros(2, SCHEMA.dtype))
    with pytest.raises(ProtocolError, match="column 'episode' has 16 bytes; 3 samples of it have 24"):
        from_columns(SCHEMA, columns, 3)
    with pytest.raises(ProtocolError, match="reward"):
        from_columns(SCHEMA, {name: data for name, data in columns.items() if name != "reward"}, 2)
