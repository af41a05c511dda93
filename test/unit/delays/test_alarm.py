from rtgym_ros.delays.alarm import BufferAlarm
from rtgym_ros.delays.ledger import DelayLedger


def observed_under(ledger, *commands):
    """Return the delays of a sample at 95, taken under the first of ``commands``; the second is applied then."""
    ledger.echo(950, *commands)
    return ledger.observed(950, 1000)


def ledger_of(actions):
    ledger = DelayLedger()
    for number in range(actions):
        ledger.sent(100 + 100 * number)
    return ledger


def test_it_is_said_once_and_counted():
    said = []
    alarm = BufferAlarm(4, said.append)
    under = [900, 700, 600, 500, 300, 800, 400]
    assert [alarm.check(observed_under(ledger_of(9), stamp)) for stamp in under] == [
        False, False, True, True, True, False, True,
    ]  # fmt: skip
    assert alarm.count == 4
    assert len(said) == 1
    assert "sent 4 time-steps before the newest, and act_buf_len is 4" in said[0]
    assert "at least 5" in said[0]


def test_the_action_up_to_the_sample_need_not_be_in_the_buffer():
    """It has done what it does; the one applied from then on has not."""
    alarm = BufferAlarm(4, lambda text: None)
    assert not alarm.check(observed_under(ledger_of(9), 600, 700))
    assert alarm.check(observed_under(ledger_of(9), 500, 600))


def test_what_is_not_known_is_not_counted():
    alarm = BufferAlarm(1, lambda text: None)
    assert not alarm.check(ledger_of(9).observed(951, 1000))
    assert alarm.count == 0
