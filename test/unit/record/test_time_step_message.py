"""The recorded message: what is written is read, by us, by rclpy and by MCAP's own ROS 2 decoder."""

from pathlib import Path

import numpy as np
import pytest

from rtgym_ros.record.cdr_reader import decode, decode_answer
from rtgym_ros.record.cdr_writer import encode, encode_answer
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.schema import SCHEMA_NAME, SCHEMA_TEXT
from rtgym_ros.record.time_step import RecordedTimeStep

MSG = Path(__file__).parents[3] / "msg"


def some_step():
    """Every kind of array, odd lengths of names so that every alignment occurs, and values that printing would lose."""
    rng = np.random.default_rng(1)
    signalling = np.array([0x7FA00001, 0xFFC00123, 0x00000001], np.uint32).view(np.float32)  # NaNs, a subnormal
    arrays = [
        ("", np.float32(1.5)),
        ("n", signalling),
        ("na", rng.normal(size=(2, 3))),
        ("nam", np.array([2**63 - 1, -(2**63)])),
        ("name", rng.integers(0, 256, (3, 5, 3), np.uint8)),
        ("é/x", np.array([True, False])),
        ("half", np.array([0.1], np.float16)),
        ("u64", np.array(2**64 - 1, np.uint64)),
        ("empty", np.zeros((0, 4), np.float64)),
        ("big", np.array([1, -2, 3], ">i4")),
    ]
    return RecordedTimeStep(
        stamp_ns=1_700_000_000_123_456_789, index=2**64 - 1, episode=3, episode_step=4,
        observation=tuple((name, np.asarray(array)) for name, array in arrays),
        action=(("", np.array([0.1, -0.2])),), executed_action=(("", np.array([0.05, -0.2])),),
        reward=-0.1, terminated=True, truncated=False, start_ns=5_000_000_001, lateness_ns=-1500, overrun=True,
        ages={"pose": 0.0123, "wheels": float("nan")}, delays={"kappa": 1.0}, info={"a/b": 3.0},
    )  # fmt: skip


def assert_same(one, other):
    for name in RecordedTimeStep.__slots__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if name in ("observation", "action_buffer", "action", "executed_action"):
            assert [part for part, _ in mine] == [part for part, _ in theirs]
            for (part, a), (_, b) in zip(mine, theirs, strict=True):
                assert a.dtype.newbyteorder("<") == b.dtype, part
                assert a.shape == b.shape, part
                assert a.astype(a.dtype.newbyteorder("<")).tobytes() == b.tobytes(), part
        elif isinstance(mine, dict):
            assert mine.keys() == theirs.keys()
            np.testing.assert_array_equal(list(mine.values()), list(theirs.values()))
        else:
            assert mine == theirs, name


def test_what_is_written_is_read_bit_for_bit():
    assert_same(some_step(), decode(encode(some_step())))
    assert_same(RecordedTimeStep(), decode(encode(RecordedTimeStep())))


def test_what_is_read_can_be_written_to():
    (_, array), *_ = decode(encode(some_step())).action
    array += 1


def test_an_answer_is_read_bit_for_bit_by_us_and_by_rclpy():
    pytest.importorskip("rclpy", reason="needs ROS 2")
    from rclpy.serialization import deserialize_message, serialize_message
    from rtgym_ros.msg import AgentAction

    for parts in some_step().observation, some_step().action, ():
        data = encode_answer(1_700_000_000_123_456_789, 2**64 - 1, 1_600_000_000_000_000_001, parts)
        message = deserialize_message(data, AgentAction)
        assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == 1_700_000_000_123_456_789
        assert message.index == 2**64 - 1
        for read in decode_answer(data), decode_answer(serialize_message(message)):
            assert read[:2] == (2**64 - 1, 1_600_000_000_000_000_001)
            assert_same(RecordedTimeStep(action=parts), RecordedTimeStep(action=read[2]))


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_bytes_that_are_no_answer_are_refused(cut):
    data = encode_answer(1, 2, 3, (("wheels", np.zeros(2, np.float32)),))
    with pytest.raises(RecordError):
        decode_answer(data[:cut])
    with pytest.raises(RecordError, match="not CDR"):
        decode_answer(b"\0\0" + data[2:])


def test_rclpy_reads_it_and_we_read_what_rclpy_writes():
    pytest.importorskip("rclpy", reason="needs ROS 2")
    from rclpy.serialization import deserialize_message, serialize_message
    from rtgym_ros.msg import TimeStep

    for step in some_step(), RecordedTimeStep():
        message = deserialize_message(encode(step), TimeStep)
        assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == step.stamp_ns
        assert message.index == step.index
        assert [part.name for part in message.observation] == [name for name, _ in step.observation]
        assert message.lateness.sec * 10**9 + message.lateness.nanosec == step.lateness_ns
        assert_same(step, decode(serialize_message(message)))


def test_mcap_decodes_it_by_the_schema_alone():
    decoder = pytest.importorskip("mcap_ros2._dynamic")
    step = some_step()
    message = decoder.generate_dynamic(SCHEMA_NAME, SCHEMA_TEXT)[SCHEMA_NAME](encode(step))
    assert message.observation[2].float64_values == pytest.approx(step.observation[2][1].ravel())
    assert list(message.observation[3].int64_values) == step.observation[3][1].tolist()
    assert message.ages[0].name == "pose"
    assert message.reward == step.reward
    assert message.info[0].value == 3.0


def lines_of(text):
    return [" ".join(line.split("#")[0].split()) for line in text.splitlines() if line.split("#")[0].strip()]


def test_the_schema_is_that_of_the_message_files():
    blocks = SCHEMA_TEXT.split("=" * 80 + "\nMSG: ")
    assert lines_of(blocks[0]) == lines_of((MSG / "TimeStep.msg").read_text())
    found = dict(block.split("\n", 1) for block in blocks[1:])
    for name in "NamedArray", "NamedValue":
        assert lines_of(found[f"rtgym_ros/{name}"]) == lines_of((MSG / f"{name}.msg").read_text())


@pytest.mark.parametrize("cut", [0, 3, 10, 40, 100, 333])
def test_bytes_that_are_no_time_step_are_refused(cut):
    with pytest.raises(RecordError, match="not"):
        decode(encode(some_step())[:cut])


def test_text_is_refused_by_name():
    with pytest.raises(RecordError, match="'greeting' is of dtype <U5"):
        encode(RecordedTimeStep(observation=(("greeting", np.array("hello")),)))
