import importlib.util

import numpy as np
import pytest

from rtgym_ros.robots.drone.rendering import DroneView, draw

pytestmark = pytest.mark.skipif(importlib.util.find_spec("cv2") is None, reason="OpenCV (cv2) is not installed")

WHITE, BLUE, RED = (255, 255, 255), (40, 90, 220), (220, 50, 40)
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
def window(monkeypatch):
    """The calls to OpenCV's windows, which these tests do not open."""
    import cv2

    calls = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", lambda name, frame: calls.append(("imshow", name, color(frame, 300, 100))))
    monkeypatch.setattr(cv2, "waitKey", lambda delay_ms: calls.append(("waitKey", delay_ms)))
    monkeypatch.setattr(cv2, "destroyWindow", lambda name: calls.append(("destroyWindow", name)))
    return calls


@pytest.mark.parametrize("mode", [None, "rgb_array"])
def test_frames_need_no_display(no_display, mode):
    np.testing.assert_array_equal(DroneView().render(ORIGIN, TARGET, mode), draw(ORIGIN, TARGET))


def test_without_a_display_it_says_so_once(no_display, caplog):
    view = DroneView()
    assert [view.render(ORIGIN, TARGET, "human") for _ in range(3)] == [None] * 3
    view.close()
    assert [record.getMessage() for record in caplog.records] == [
        "render_mode 'human' shows nothing: there is no display (is DISPLAY set?)"
    ]


def test_a_window_is_shown_in_bgr_and_closed_once(window):
    view = DroneView()
    assert view.render(ORIGIN, TARGET, "human") is None
    assert window == [("imshow", "rtgym_ros drone", RED[::-1]), ("waitKey", 1)]
    view.close()
    view.close()
    assert window[2:] == [("destroyWindow", "rtgym_ros drone")]


def test_a_window_that_was_never_shown_is_not_closed(window):
    DroneView().close()
    assert window == []


def test_an_opencv_without_windows_says_so_once_and_flies_on(window, monkeypatch, caplog):
    import cv2

    def unsupported(name, frame):
        raise cv2.error("\nThe function is not implemented\nRebuild the library")

    monkeypatch.setattr(cv2, "imshow", unsupported)
    view = DroneView()
    assert [view.render(ORIGIN, TARGET, "human") for _ in range(3)] == [None] * 3
    view.close()
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("render_mode 'human' shows nothing: ")
    assert "not implemented" in message
    assert "\n" not in message
    assert window == []
