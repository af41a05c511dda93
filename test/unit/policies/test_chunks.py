"""Action chunks: which action of which chunk comes when, whatever an inference needs. Nothing here is timed."""

import threading

import numpy as np
import pytest
from policy_files import Env, affine

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.policies import describe_policy, load_policy, write_metadata
from rtgym_ros.policies.chunks import ChunkPlayer
from rtgym_ros.policies.inference_thread import InferenceThread

LENGTH = 4


class SlowModel:
    """Answers a chunk ``100 * observation + 0..3`` when it is allowed to."""

    def __init__(self):
        self.allowed = threading.Semaphore(0)
        self.asked = []

    def __call__(self, value):
        self.asked.append(value)
        self.allowed.acquire()
        if isinstance(value, Exception):
            raise value
        return np.array([[100 * value + place] for place in range(LENGTH)], float)

    def answer(self, thread):
        """Let the inference that is under way end, and see it done."""
        self.allowed.release()
        thread._answer.exception(10.0)  # waits


@pytest.fixture
def model():
    return SlowModel()


@pytest.fixture
def thread(model):
    made = InferenceThread(model, patience=10.0)
    yield made
    for _ in range(10):
        model.allowed.release()
    made.close()
    assert not made._thread.is_alive()


def test_a_chunk_is_executed_while_the_next_is_computed(model, thread):
    player = ChunkPlayer(thread, LENGTH)
    model.allowed.release()
    actions = [player.act(0)[0]]  # waits: it is the first
    assert actions == [0.0]
    actions.append(player.act(1)[0])  # asks for a chunk of observation 1; 0's goes on
    actions.append(player.act(2)[0])
    model.answer(thread)
    actions.append(player.act(3)[0])  # two time-steps later: its first two actions are past
    assert actions == [0.0, 1.0, 2.0, 102.0]
    assert player.waits == 0
    assert player.chunks == 2
    actions.append(player.act(4)[0])  # 3 was submitted when 1's answer was taken; it is still computed
    assert actions[-1] == 103.0
    model.answer(thread)
    assert player.act(5)[0] == 302.0
    assert model.asked[:3] == [0, 1, 3]


def test_the_next_chunk_is_asked_for_after_as_many_as_are_executed(model, thread):
    player = ChunkPlayer(thread, LENGTH, execute=3)
    model.allowed.release()
    assert [player.act(step)[0] for step in range(3)] == [0.0, 1.0, 2.0]
    assert model.asked == [0]
    assert player.act(3)[0] == 3.0
    model.answer(thread)
    assert model.asked == [0, 3]
    assert player.act(4)[0] == 301.0


def test_a_chunk_that_is_used_up_is_waited_for(model, thread):
    player = ChunkPlayer(thread, LENGTH)
    model.allowed.release()
    for step in range(4):
        player.act(step)
    assert thread.is_busy
    model.allowed.release()  # of observation 1, for the places 1 to 4
    assert player.act(4)[0] == 103.0
    assert player.waits == 1
    model.answer(thread)  # of observation 4, asked for at once
    assert player.act(5)[0] == 401.0
    assert player.waits == 1


def test_an_answer_that_comes_too_late_is_not_executed(model, thread):
    player = ChunkPlayer(thread, LENGTH)
    model.allowed.release()
    player.act(0)
    player.act(1)  # asked
    player._index = 9  # the agent was away for a while
    model.allowed.release()
    model.allowed.release()
    assert player.act(9)[0] == 900.0
    assert model.asked == [0, 1, 9]


def test_an_episode_begins_with_a_chunk_of_its_own(model, thread):
    player = ChunkPlayer(thread, LENGTH)
    model.allowed.release()
    player.act(0)
    player.act(1)  # an inference of the first episode is under way
    model.allowed.release()
    player.reset()
    player.begin(7)
    model.allowed.release()
    assert player.act(7)[0] == 700.0
    assert player.waits == 0, "the first of an episode is no wait"


def test_an_error_in_the_thread_comes_out_of_the_call(model, thread):
    player = ChunkPlayer(thread, LENGTH)
    model.allowed.release()
    with pytest.raises(ValueError, match="bad network"):
        player.act(ValueError("bad network"))


def test_an_answer_that_does_not_come_is_an_error(model):
    thread = InferenceThread(model, patience=0.01)
    player = ChunkPlayer(thread, LENGTH)
    with pytest.raises(InterfaceTimeoutError, match=r"has not answered for 0\.01 s"):
        player.act(0)
    with pytest.raises(InterfaceTimeoutError):
        player.reset()
    model.allowed.release()
    thread.close()
    assert not thread._thread.is_alive()


def test_a_file_that_answers_with_chunks(tmp_path):
    file = affine(tmp_path / "policy.onnx", np.zeros((2, 6)), [0.0, 0.0, 0.5, 0.5, 1.0, 1.0], answer=(3, 2))
    write_metadata(file, describe_policy(Env(), ["position"], chunk=3, execute=3))
    seen = {"position": np.zeros(2, np.float32), "target": np.zeros(2), "action_buffer": np.zeros((3, 2))}
    with load_policy(file, Env()) as policy:
        policy.reset()
        assert policy.begin(seen)
        assert [policy.act(seen).tolist() for _ in range(3)] == [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
        assert policy.act(seen).tolist() == [0.0, 0.0]
        assert policy.player.chunks == 2
    assert [t.name for t in threading.enumerate() if t.name.startswith("rtgym_ros")] == []
