"""Times several readers of messages in turns, so that the load of the machine affects all alike."""

import time
from statistics import median

import numpy as np


def timed(read):
    start = time.perf_counter_ns()
    result = read()
    return result, (time.perf_counter_ns() - start) / 1000


def compare(readers, publish, rounds):
    """Return the times (us) of each reader, a list a round; all have to read the same."""
    times = {name: [] for name in readers}
    for number in range(rounds + 10):
        publish(number)
        time.sleep(0.01)
        order = list(readers)[number % len(readers) :] + list(readers)[: number % len(readers)]
        results = []
        for name in order:
            result, microseconds = timed(readers[name])
            results.append(np.asarray(result))
            if number >= 10:
                times[name].append(microseconds)
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])
    return times


def groups(values, rounds):
    """Return the sums over as many rounds as it takes until everybody has been at every place once."""
    return [sum(values[start : start + rounds]) for start in range(0, len(values) - rounds + 1, rounds)]


def report(times, ours, peers, target, rounds=3):
    for name, values in times.items():
        print(f"  {name:42s} {median(values):8.1f} us")
    for peer in peers:
        ratio = median(a / b for a, b in zip(groups(times[ours], rounds), groups(times[peer], rounds), strict=True))
        print(f"  ratio to {peer:33s} {ratio:8.3f}" + (f" (at most {target})" if peer == peers[0] else ""))
