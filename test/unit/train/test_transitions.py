"""TransitionAssembler: what is a transition, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trainer_helpers import make_records

from rtgym_ros.train.trainer import transitions as module
from rtgym_ros.train.trainer.transitions import TransitionAssembler


def assembler() -> TransitionAssembler:
    return TransitionAssembler()


def by_hand(records: np.ndarray) -> list[tuple[int, int]]:
    """The same, a sample at a time: (stamp before, stamp after)."""
    pairs, last = [], None
    for record in records:
        if (
            last is not None
            and not record["test"]
            and record["step"] > 0
            and last["episode"] == record["episode"]
            and last["step"] + 1 == record["step"]
        ):
            pairs.append((int(last["stamp_ns"]), int(record["stamp_ns"])))
        last = record
    return pairs


def stamps(made: list) -> list[tuple[int, int]]:
    return [
        (int(b), int(a))
        for pairs in made
        for b, a in zip(pairs.before["stamp_ns"], pairs.after["stamp_ns"], strict=True)
    ]


def test_an_episode_of_n_time_steps_gives_n_transitions():
    records = make_records([5])
    pairs, episodes = assembler().add("robot", "boot", records)
    assert len(pairs) == 5
    assert (pairs.before["observation/1"] == records[:-1]["observation/1"]).all()
    assert (pairs.after["action"] == records[1:]["action"]).all()
    assert (pairs.after["reward"] == records[1:]["reward"]).all()
    assert pairs.after["terminated"].tolist() == [False] * 4 + [True]
    (episode,) = episodes
    assert (episode.worker, episode.length, episode.terminated, episode.test) == ("robot", 5, True, False)
    assert episode.episode_return == pytest.approx(records["reward"].sum())


def test_the_end_of_an_episode_is_not_joined_to_the_next():
    pairs, episodes = assembler().add("robot", "boot", make_records([3, 4, 1], terminated=False))
    assert len(pairs) == 8
    assert (pairs.after["step"] > 0).all()
    assert [episode.terminated for episode in episodes] == [False] * 3


def test_a_gap_is_not_bridged():
    records = make_records([9])
    pairs, _ = assembler().add("robot", "boot", np.delete(records, [3, 4]))
    assert stamps([pairs]) == [(0, 1), (1, 2), (5, 6), (6, 7), (7, 8), (8, 9)]


def test_test_episodes_are_told_and_not_learned_from():
    pairs, episodes = assembler().add("robot", "boot", make_records([3, 3], test_every=2))
    assert pairs.after["episode"].tolist() == [1] * 3
    assert [episode.test for episode in episodes] == [True, False]


def test_boots_and_workers_are_kept_apart():
    records, joiner = make_records([6]), assembler()
    made = [joiner.add("a", "1", records[:3])[0], joiner.add("b", "1", records[3:5])[0]]
    made += [joiner.add("a", "2", records[3:])[0], joiner.add("a", "1", records[3:])[0]]
    assert [len(pairs) for pairs in made] == [2, 1, 3, 4]


@settings(max_examples=60)
@given(data=st.data())
def test_however_it_is_cut_the_transitions_are_those_of_the_definition(data: st.DataObject):
    records = make_records(data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=8)), test_every=3)
    keep = data.draw(st.lists(st.booleans(), min_size=len(records), max_size=len(records)))
    records = records[np.array(keep)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=6)))
    joiner, made, ended = assembler(), [], 0
    for part in np.split(records, cuts):
        pairs, episodes = joiner.add("robot", "boot", part)
        made.append(pairs)
        ended += len(episodes)
    assert stamps(made) == by_hand(records)
    assert ended == records["terminated"].sum()


def test_it_does_not_grow_with_the_number_of_boots(monkeypatch):
    monkeypatch.setattr(module, "MAX_BOOTS", 3)
    joiner, records = assembler(), make_records([4])
    for boot in range(10):
        joiner.add("robot", str(boot), records[:2])
    assert [boot for _, boot in joiner._last] == ["7", "8", "9"]
    assert len(joiner.add("robot", "9", records[2:])[0]) == 3
