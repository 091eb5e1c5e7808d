"""ONNX Runtime: models of one node, inputs and outputs bound to memory that stays."""
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from operands import make_operands
from worker import Contender

OPSET = 22


class Peer:
    def __init__(self, threads):
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.log_severity_level = 3

    def versions(self):
        return {"onnxruntime": onnxruntime.__version__}

    def contenders(self, case):
        if case.get("pass") != "forward":
            return []
        operands = make_operands(case)
        session = onnxruntime.InferenceSession(model(case["op"], operands), self.options, ["CPUExecutionProvider"])
        binding = session.io_binding()
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array)
                  for array in (operands.x, operands.offset, operands.mask) if array is not None]
        for given, value in zip(session.get_inputs(), values):
            binding.bind_ortvalue_input(given.name, value)
        result = onnxruntime.OrtValue.ortvalue_from_numpy(
            numpy.empty((case["n"], case["o"], case["size"], case["size"]), numpy.float32))
        binding.bind_ortvalue_output("y", result)
        return [Contender(case, "onnxruntime", lambda: session.run_with_iobinding(binding), result.numpy)]


def model(op, operands):
    """Weights and bias are constants, so that the runtime can arrange them once; the rest are inputs."""
    constants = [numpy_helper.from_array(operands.weight, "weight"), numpy_helper.from_array(operands.bias, "bias")]
    inputs = {name: array for name in ("x", "offset", "mask") if (array := getattr(operands, name)) is not None}
    names = ["x", "weight", "bias"] if op == "conv2d" else ["x", "weight", "offset", "bias"]
    if "mask" in inputs:
        names.append("mask")
    node = helper.make_node("Conv" if op == "conv2d" else "DeformConv", names, ["y"], kernel_shape=[3, 3],
                            pads=[1, 1, 1, 1])
    n, _, height, width = operands.x.shape
    graph = helper.make_graph(
        [node], "one", [helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape)
                        for name, array in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [n, len(operands.bias), height, width])], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(made)
    return made.SerializeToString()
