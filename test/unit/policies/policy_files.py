"""Small real ONNX files, made with `onnx`, and environments that need no ROS."""

import numpy as np
import pytest
from gymnasium import spaces

ACTION = spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))
PARTS = {
    "position": spaces.Box(-1.0, 1.0, (2,), np.float32),
    "target": spaces.Box(-1.0, 1.0, (2,), np.float32),
    "action_buffer": spaces.Box(-2.0, 2.0, (3, 2), np.float32),
}


class Config:
    """What a policy asks of the configuration of an environment."""

    time_step_duration = 0.05
    act_buf_len = 3
    act_in_obs = True


class Env:
    """Spaces, and nothing behind them."""

    config = Config()

    def __init__(self, observation_space=None, action_space=ACTION, interface=None):
        self.observation_space = spaces.Dict(PARTS) if observation_space is None else observation_space
        self.action_space = action_space
        self.interface = interface

    @property
    def unwrapped(self):
        return self


def affine(path, weight, bias, *, inputs=("observation",), shape=None, answer=None, metadata=None, dtype="FLOAT"):
    """Write ``answer = reshape(flatten(inputs joined) @ weight + bias)`` as an ONNX file.

    ``shape`` is that of each input without its batch (the rows of ``weight`` by default), ``answer`` the output's.
    """
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    weight, bias = np.asarray(weight, np.float32), np.asarray(bias, np.float32)
    shapes = shape or {name: (len(weight),) for name in inputs}
    answer = answer or (weight.shape[1],)
    kind = getattr(TensorProto, dtype)
    nodes, flat = [], []
    for name in inputs:
        nodes += [
            helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", [f"{name}_float"], [f"{name}_flat"], axis=1),
        ]
        flat.append(f"{name}_flat")
    nodes += [
        helper.make_node("Concat", flat, ["joined"], axis=1),
        helper.make_node("Gemm", ["joined", "weight", "bias"], ["row"]),
        helper.make_node("Reshape", ["row", "answer_shape"], ["action"]),
    ]
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info(name, kind, ["batch", *shapes[name]]) for name in inputs],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, ["batch", *answer])],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(np.array([-1, *answer], np.int64), "answer_shape"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if metadata is not None:
        helper.set_model_props(model, {"rtgym_ros": metadata.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
