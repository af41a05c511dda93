from rtgym_ros.train.worker.message_size import FIRST_BYTES, LARGEST_BYTES, QUICK_S, MessageSize


def test_full_messages_that_are_answered_soon_grow_to_the_largest():
    size, seen = MessageSize(), []
    for _ in range(8):
        seen.append(size.limit)
        size.answered(True, 0.01)
    assert seen[:4] == [FIRST_BYTES, 2 * FIRST_BYTES, 4 * FIRST_BYTES, 8 * FIRST_BYTES]
    assert seen[-1] == LARGEST_BYTES


def test_one_that_holds_all_there_is_and_one_that_takes_long_leave_it():
    size = MessageSize()
    size.answered(False, 0.01)
    size.answered(True, QUICK_S)
    assert size.limit == FIRST_BYTES


def test_a_new_connection_begins_small():
    size = MessageSize()
    size.answered(True, 0.01)
    size.begin()
    assert size.limit == FIRST_BYTES
