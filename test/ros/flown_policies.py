"""Policies that fly the robots of the package, written out as networks: real files of both kinds."""

import numpy as np

from rtgym_ros.policies import PartEntry, PolicyMetadata, write_metadata

JOINTS, MAX_STEP, GAIN, UNDER_WAY = 6, 0.05, 0.35, 4


def drone_numpy(path, gain=4.0):
    """Write the tutorial's controller, squashed, as one of our NumPy policies."""
    from rtgym_ros.policies.weights import PolicyWeights

    weight = gain / 2.0 * np.hstack([-np.eye(2), np.eye(2)]).astype(np.float32)
    arrays = {"mean.weight": weight, "mean.bias": np.zeros(2, np.float32)}
    PolicyWeights("squashed_gaussian_mlp", 1, arrays, {"activation": "relu"}).save(path)
    parts = (PartEntry("position", (2,)), PartEntry("target", (2,)))
    write_metadata(path, PolicyMetadata(parts, 2, range=(-1.0, 1.0), low=-2.0, high=2.0, time_step_duration=0.05))
    return path


def drone_chunks(path, chunk, gain=1.0):
    """Write the tutorial's controller as an ONNX file whose answer is the same action ``chunk`` times."""
    weight = np.tile(gain * np.vstack([-np.eye(2), np.eye(2)]), chunk)
    parts = (PartEntry("position", (2,)), PartEntry("target", (2,)))
    return _affine(path, weight, PolicyMetadata(parts, 2, chunk=chunk), (chunk, 2))


def arm_onnx(path):
    """Write ``robots/arm/policy.py`` as an ONNX file: affine in joints, target and the actions under way."""
    one = np.eye(JOINTS)
    buffer = [np.zeros_like(one)] * (6 - UNDER_WAY) + [-GAIN * one] * UNDER_WAY
    weight = np.vstack([-GAIN / MAX_STEP * one, GAIN / MAX_STEP * one, *buffer])
    parts = (PartEntry("joints", (6,)), PartEntry("target", (6,)), PartEntry("action_buffer", (6, 6)))
    return _affine(path, weight, PolicyMetadata(parts, JOINTS, low=-1.0, high=1.0), (JOINTS,))


def _affine(path, weight, metadata, answer):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("MatMul", ["observation", "weight"], ["row"]),
        helper.make_node("Reshape", ["row", "answer"], ["action"]),
    ]
    graph = helper.make_graph(
        nodes,
        "controller",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["batch", len(weight)])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, ["batch", *answer])],
        [
            numpy_helper.from_array(weight.astype(np.float32), "weight"),
            numpy_helper.from_array(np.array([-1, *answer], np.int64), "answer"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"rtgym_ros": metadata.to_json()})
    onnx.save(model, path)
    return path
