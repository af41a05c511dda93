"""The service ``~/record`` of a node that has an environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from rtgym_ros.core.errors import ConfigError, RtgymError
from rtgym_ros.ros.arguments import one_line
from rtgym_ros.ros.hosting.recording_on_request import RecordingOnRequest
from rtgym_ros.srv import Record

_OUTCOMES = {Record.Request.UNKNOWN: None, Record.Request.SUCCEEDED: True, Record.Request.FAILED: False}


class RecordService:
    """Starts, stops and labels recordings, in a thread of the executor.

    Args:
        node: whose service it is.
        recording: returns that of the environment; raises StateError where there is none.
        folder: where recordings go.
    """

    def __init__(self, node: Node, recording: Callable[[], RecordingOnRequest], folder: str) -> None:
        self._recording = recording
        self._folder = folder
        node.create_service(Record, "~/record", self._answer, callback_group=MutuallyExclusiveCallbackGroup())

    def _answer(self, request: Any, response: Any) -> Any:
        try:
            recording = self._recording()
            if request.command == Record.Request.START:
                recording.start(self._folder)
            elif request.command == Record.Request.STOP:
                recording.stop()
            elif request.command == Record.Request.LABEL and request.outcome in _OUTCOMES:
                recording.label(_OUTCOMES[request.outcome], request.note)
            else:
                raise ConfigError(
                    f"command {request.command} with outcome {request.outcome}; allowed: 1 (start), 2 (stop), 3 (label)"
                    " with 0 (unknown), 1 (succeeded) or 2 (failed)"
                )
            state = recording.state
        except (RtgymError, ImportError, OSError) as error:
            response.message = one_line(error)
            return response
        response.success = True
        if state is not None:
            response.file = "" if state.file is None else str(state.file)
            response.written, response.dropped = state.written, state.dropped
        return response
