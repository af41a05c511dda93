import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from rtgym_ros.delays.pictures import ActionLife, draw_life, draw_places, draw_predictability, save_delay_picture
from rtgym_ros.delays.predictability import Predictability
from rtgym_ros.delays.recommendations import Measurements, recommend

LIFE = ActionLife((0.0, 0.05, 0.1, 0.15), 0.0, 0.035, 0.04, 0.1)
FOUND = Predictability((0, 1, 2, 3), (-0.2, 0.3, 0.9, 0.91), 2)


@pytest.mark.parametrize("some", [True, False])
def test_a_picture_of_whatever_was_measured(tmp_path, some):
    rng = np.random.default_rng(0)
    measured = Measurements(
        observation_delays=[*rng.uniform(0.02, 0.06, 300), np.nan] if some else (),
        action_delays=rng.uniform(0.02, 0.05, 300) if some else (),
        places=rng.integers(1, 4, 300) if some else (),
    )
    path = tmp_path / "delays.png"
    save_delay_picture(path, measured, recommend(measured, 0.05), LIFE if some else None, FOUND if some else None)
    assert path.read_bytes().startswith(b"\x89PNG")


def axes():
    return Figure().add_subplot()


def test_what_the_pictures_say():
    ax = axes()
    draw_predictability(ax, FOUND)
    assert ax.get_legend().get_texts()[0].get_text() == "elbow at K = 2"
    assert ax.lines[0].get_ydata().tolist() == [0.0, 0.3, 0.9, 0.91]
    ax = axes()
    draw_places(ax, [1, 2, 2, 3], 3)
    assert [bar.get_height() for bar in ax.patches] == [0, 1, 2, 1]
    assert ax.get_legend().get_texts()[0].get_text() == "act_buf_len 3"
    ax = axes()
    draw_life(ax, LIFE)
    assert [text.get_text().strip() for text in ax.texts] == ["35.0 ms", "5.0 ms", "60.0 ms"]
    draw_life(axes(), None)
