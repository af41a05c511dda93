import pytest
from simulated_link import MS, START, Link, S

from rtgym_ros.delays.clock_offset import ClockOffset
from rtgym_ros.delays.echo_log import NO_COMMAND
from rtgym_ros.delays.ledger import DelayLedger
from rtgym_ros.delays.time_step_delays import INFO_KEYS

T = 50 * MS


def true_alpha(sampled_ns, time_step):
    """Actions sent at or after the sample, without the newest; the first was sent at START."""
    first_after = max(-(-(sampled_ns - START) // T), 0)
    return time_step - first_after


def fly(link, ledger, time_steps, echoes_are_lost=lambda message: False, offset=None):
    """Yield (delays, truth) of each time-step that has an observation."""
    newest = None
    for number, now, end, came in link.fly(time_steps, T):
        ledger.sent(now)
        if number == 0:
            first_command = now
        for arrival, message in came:
            if not echoes_are_lost(message):
                ledger.echo(message.sample_ns, message.command_ns, message.next_ns)
            if offset:
                offset.add_arrival(message.sample_ns, arrival)
                offset.add_departure(message.command_ns, message.sample_ns)
            if newest is None or message.sample_ns > newest.sample_ns:
                newest = message
        if newest is not None:
            delays = ledger.observed(newest.sample_ns, end)
            assert delays.time_step == number + 1
            yield delays, newest.truth
    assert first_command == START


@pytest.mark.parametrize("at_samples", [False, True])
@pytest.mark.parametrize("lost", [0.0, 0.01, 0.05])
def test_all_delays_are_exact_in_10000_time_steps(lost, at_samples):
    link, ledger, count = Link(seed=int(lost * 100), lost=lost, at_samples=at_samples), DelayLedger(), 0
    seen = set()
    for delays, truth in fly(link, ledger, 10_000):
        count += 1
        alpha = true_alpha(truth.sampled_ns, delays.time_step)
        assert delays.total == delays.time_step - truth.command
        assert (delays.alpha, delays.beta) == (alpha, delays.time_step - truth.command - alpha)
        assert delays.kappa == delays.time_step - truth.next_command - alpha
        assert delays.beta >= 1
        assert delays.kappa >= 0
        assert delays.observation_delay_ns == START + delays.time_step * T - truth.sampled_ns
        seen.add(delays.beta)
    assert count > 9990
    assert len(seen) > 1, "the delays vary"


@pytest.mark.parametrize(("lost", "way"), [(0.05, (0.002, 0.02)), (0.0, (0.02, 0.05))])
def test_a_robot_with_another_clock(lost, way):
    """3.7 s off, 50 ppm: the total is exact; beta is where alpha is certain, and alpha is within its bounds."""
    link, offset = Link(seed=7, lost=lost, up=way, down=way, offset_ns=3_700_000_000, ppm=50.0), ClockOffset()
    ledger, certain, count = DelayLedger(offset.to_ours), 0, 0
    for delays, truth in fly(link, ledger, 10_000, offset=offset):
        if delays.time_step < 200:
            continue
        count += 1
        alpha = true_alpha(truth.sampled_ns, delays.time_step)
        age_ns = START + delays.time_step * T - truth.sampled_ns
        assert delays.total == delays.time_step - truth.command
        assert abs(delays.observation_delay_ns - age_ns) <= delays.uncertainty_ns
        assert delays.alpha_low <= alpha <= delays.alpha_high
        if delays.alpha_low == delays.alpha_high:
            certain += 1
            assert delays.beta == delays.total - alpha
    assert delays.uncertainty_ns < way[0] * S + 2 * MS, "half of the fastest round trip, and what sampling adds"
    assert count > 9700
    assert certain > 9000 or way[0] > 0.01


@pytest.mark.parametrize("lost", [0.0, 0.05])
def test_the_action_delay_of_a_robot_that_applies_when_it_samples(lost):
    link, ledger = Link(seed=3, at_samples=True, lost=lost), DelayLedger()
    errors = []
    for delays, truth in fly(link, ledger, 2000):
        if delays.action_delay_ns is not None:
            assert truth.command - 4 <= delays.action <= truth.command
            expected = link.applied_at[delays.action] - (START + delays.action * T)
            assert delays.action_delay_least_ns <= expected <= delays.action_delay_ns
            errors.append(delays.action_delay_ns - expected)
    assert len(errors) > 1900
    assert set(errors) == {0}, "what is not known to within a sampling period is not told"


def test_the_action_delay_lies_between_two_samples_elsewhere():
    link, ledger = Link(seed=3, lost=0.02), DelayLedger()
    compared = 0
    for delays, _ in fly(link, ledger, 2000):
        if delays.action_delay_least_ns is not None:
            compared += 1
            expected = link.applied_at[delays.action] - (START + delays.action * T)
            assert delays.action_delay_ns - delays.action_delay_least_ns <= link.period_ns
            assert delays.action_delay_least_ns <= expected <= delays.action_delay_ns
    assert compared > 1900


def test_a_robot_that_tells_when_it_applied_gives_the_action_delay_exactly():
    ledger = DelayLedger()
    ledger.sent(100)
    ledger.echo(190, 100, applied_ns=137)
    delays = ledger.observed(190, 200)
    assert (delays.action_delay_ns, delays.action_delay_least_ns) == (37, 37)


def test_lost_echoes_leave_bounds_and_are_settled_later():
    """Echoes on a topic of their own, a twentieth lost: nothing is guessed."""
    import random

    lots = random.Random(1)
    link, ledger = Link(seed=5), DelayLedger()
    truths, known, settled = {}, 0, 0
    for delays, truth in fly(link, ledger, 10_000, echoes_are_lost=lambda message: lots.random() < 0.05):
        truths[delays.time_step] = delays.time_step - truth.command
        if delays.total is None:
            assert delays.total_high is None or delays.total_high >= truths[delays.time_step]
        else:
            known += 1
            assert delays.total == truths[delays.time_step]
        for late in ledger.settled():
            settled += 1
            assert late.total == truths[late.time_step]
    assert known > 0.94 * len(truths)
    assert known + settled > 0.98 * len(truths)


def test_nothing_is_known_without_an_echo_but_alpha():
    ledger = DelayLedger()
    for stamp in (0, 50, 100):
        ledger.sent(stamp)
    delays = ledger.observed(60, 150)
    assert (delays.alpha, delays.observation_delay_ns) == (1, 90)
    assert (delays.beta, delays.kappa, delays.total, delays.action_delay_ns) == (None,) * 4
    info = delays.info()
    assert tuple(info) == INFO_KEYS
    assert info["alpha"] == 1.0
    assert info["beta"] != info["beta"], "NaN"


def test_a_robot_that_applies_nothing_or_a_command_of_others():
    ledger = DelayLedger()
    ledger.sent(1000)
    ledger.echo(1500, NO_COMMAND)
    ledger.echo(1600, 400)
    assert ledger.observed(1500, 2000).total is None
    assert ledger.observed(1600, 2000).total is None


def test_commands_repeated_in_a_time_step_are_its_action():
    ledger = DelayLedger()
    for stamp in (1000, 2000, 3000):
        ledger.sent(stamp)
    ledger.echo(2900, 2400)
    assert ledger.observed(2900, 4000).total == 2


def test_stamps_that_the_robot_rounds_down():
    ledger = DelayLedger(resolution_ns=1000)
    ledger.sent(1_000_123)
    ledger.sent(2_000_456)
    ledger.echo(2_500_000, 2_000_000)
    assert ledger.observed(2_500_000, 3_000_000).total == 1


def test_echoes_twice_and_out_of_order():
    ledger = DelayLedger()
    for stamp in (100, 200, 300):
        ledger.sent(stamp)
    assert ledger.echo(290, 200)
    assert ledger.echo(270, 200)
    assert ledger.echo(250, 100)
    assert not ledger.echo(270, 200)
    delays = ledger.observed(290, 400)
    assert delays.total == 2
    assert (delays.action_delay_least_ns, delays.action_delay_ns) == (50, 70)


def test_stamps_must_grow_and_a_restart_counts_on():
    ledger = DelayLedger()
    ledger.sent(100)
    with pytest.raises(ValueError, match="action 1 was stamped 100, not after the one before"):
        ledger.sent(100)
    ledger.restart()
    ledger.sent(50)
    assert ledger.time_steps == 2
    ledger.echo(60, 50)
    assert ledger.observed(60, 70).total == 1


def test_the_books_stay_small():
    ledger = DelayLedger(capacity=16)
    for number in range(10_000):
        now = 1000 + number * 100
        ledger.sent(now)
        for sample in range(5):
            ledger.echo(now + 20 * sample, now)
        assert ledger.observed(now + 80, now + 100).total == 1
        assert len(ledger.echoes) <= 64 + 5, "twice the capacity, and the echoes until the next command"
        assert len(ledger.echoes._applied) + len(ledger.echoes._first_seen) <= 64
        assert len(ledger._stamps) <= 32
    assert ledger.time_steps == 10_000
