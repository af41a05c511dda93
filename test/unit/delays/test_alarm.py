from rtgym_ros.delays.alarm import BufferAlarm
from rtgym_ros.delays.ledger import DelayLedger


def test_it_is_said_once_and_counted():
    said = []
    alarm = BufferAlarm(4, said.append)
    assert [alarm.check_total(total) for total in (None, 1, 4, 5, 7, 4, 6)] == [
        False, False, False, True, True, False, True,
    ]  # fmt: skip
    assert alarm.count == 3
    assert len(said) == 1
    assert "5 time-steps before, and act_buf_len is 4" in said[0]
    assert "at least 5" in said[0]


def test_it_reads_the_ledger():
    ledger, alarm = DelayLedger(), BufferAlarm(1, lambda text: None)
    for stamp in (100, 200):
        ledger.sent(stamp)
    ledger.echo(150, 100)
    assert alarm.check(ledger.observed(150, 300))
    assert not alarm.check(ledger.observed(151, 300)), "not known"
