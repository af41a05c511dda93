"""One Ray for all tests of RLlib."""

import pytest

STARTS = 4  # Ray gives its processes 30 s to start, which are not enough on a busy machine


@pytest.fixture(scope="session", autouse=True)
def cluster():
    ray = pytest.importorskip("ray")
    for attempt in range(STARTS):
        try:
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=True)
            break
        except Exception:
            ray.shutdown()
            if attempt == STARTS - 1:
                raise
    yield
    ray.shutdown()
