"""All roles as processes, each killed once while training goes on: the short form of ``benchmarks.distant kill``."""

import pytest

for needed in ("zenoh", "msgspec", "safetensors", "torch", "stable_baselines3", "tensorboard", "rich"):
    pytest.importorskip(needed)

from benchmarks.distant import kill  # noqa: E402


class Claims:
    """A report that keeps what must hold."""

    def __init__(self, folder):
        self.folder = folder
        self.claims, self.tables = [], {}

    def verdict(self, claim, holds, how=""):
        self.claims.append((claim, bool(holds), how))

    def table(self, heading, rows):
        self.tables[heading] = rows

    def say(self, line):
        print(line)


@pytest.mark.timeout(180)
def test_whoever_is_killed_no_sample_is_lost_or_counted_twice(tmp_path):
    victims = ("worker's link", "worker's control", "trainer's relay", "gateway (zenoh router)", "trainer")
    claims = Claims(tmp_path)
    kill.run(claims, rate_hz=100.0, victims=victims, seconds=40.0, quiet_s=0.0, with_ray=False)
    print(claims.tables)
    assert len(claims.claims) == 7
    assert [claim for claim in claims.claims if not claim[1]] == []
    (samples,) = claims.tables["samples"]
    assert samples["boots"] == 2
    assert samples["updates"] > 100
