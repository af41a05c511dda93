import importlib.util

import numpy as np
import pytest

from rtgym_ros.robots.drone.rendering import draw
from rtgym_ros.robots.frame_window import FrameWindow, can_open_windows

pytestmark = pytest.mark.skipif(importlib.util.find_spec("cv2") is None, reason="OpenCV (cv2) is not installed")

WHITE, GREY, BLUE, RED = (255, 255, 255), (190, 190, 190), (40, 90, 220), (220, 50, 40)
ORIGIN, TARGET = np.array([0.0, 0.0]), np.array([0.5, 0.5])


def color(frame, x, y):
    """Return the pixel at x to the right and y down."""
    return tuple(int(value) for value in frame[y, x])


def test_a_frame_is_an_rgb_picture():
    frame = draw(ORIGIN, TARGET)
    assert (frame.shape, frame.dtype) == ((400, 400, 3), np.uint8)
    assert color(frame, 0, 0) == WHITE


def test_the_target_is_a_red_disc_and_the_drone_a_blue_ring_with_y_upwards():
    frame = draw(ORIGIN, TARGET)
    assert color(frame, 300, 100) == RED
    assert color(frame, 300, 300) == WHITE
    assert color(frame, 200, 200) == WHITE
    assert color(frame, 210, 200) == BLUE
    assert color(frame, 200, 190) == BLUE


def test_the_corners_of_the_world_are_the_corners_of_the_picture():
    frame = draw(np.array([-1.0, 1.0]), np.array([1.0, -1.0]))
    assert color(frame, 10, 0) == BLUE
    assert color(frame, 399, 399) == RED


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture
def window_calls(monkeypatch):
    """The calls to OpenCV's windows, which these tests do not open."""
    import cv2

    calls = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", lambda name, frame: calls.append(("imshow", name, color(frame, 300, 100))))
    monkeypatch.setattr(cv2, "waitKey", lambda delay_ms: calls.append(("waitKey", delay_ms)))
    monkeypatch.setattr(cv2, "destroyWindow", lambda name: calls.append(("destroyWindow", name)))
    return calls


def test_the_way_is_a_grey_line():
    frame = draw(ORIGIN, TARGET, [(-0.5, -0.5), (-0.5, 0.5), ORIGIN])
    red, green, blue = color(frame, 100, 200)
    assert GREY[0] <= red == green == blue < 255
    assert color(frame, 300, 300) == WHITE


def test_without_a_display_it_says_so_once(no_display, caplog):
    window = FrameWindow("drone")
    for _ in range(3):
        window.show(draw(ORIGIN, TARGET))
    window.close()
    assert [record.getMessage() for record in caplog.records] == [
        "render_mode 'human' shows nothing: there is no display (is DISPLAY set?)"
    ]
    assert not can_open_windows()


def test_a_window_is_shown_in_bgr_and_closed_once(window_calls):
    window = FrameWindow("drone")
    window.show(draw(ORIGIN, TARGET))
    assert window_calls == [("imshow", "drone", RED[::-1]), ("waitKey", 1)]
    window.close()
    window.close()
    assert window_calls[2:] == [("destroyWindow", "drone")]


def test_a_window_that_was_never_shown_is_not_closed(window_calls):
    FrameWindow("drone").close()
    assert window_calls == []


def test_a_display_that_does_not_answer_opens_no_window(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":12345")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not can_open_windows()


def test_an_opencv_without_windows_says_so_once_and_flies_on(window_calls, monkeypatch, caplog):
    import cv2

    def unsupported(name, frame):
        raise cv2.error("\nThe function is not implemented\nRebuild the library")

    monkeypatch.setattr(cv2, "imshow", unsupported)
    window = FrameWindow("drone")
    for _ in range(3):
        window.show(draw(ORIGIN, TARGET))
    window.close()
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("render_mode 'human' shows nothing: ")
    assert "not implemented" in message
    assert "\n" not in message
    assert window_calls == []
