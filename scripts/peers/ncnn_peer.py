"""ncnn: nets of one layer, one image at a time, input already in the packed layout, memory from pools.

Its 16-bit paths are off. Calls from Python cost about as much as a small layer; the same calls around a layer that does
nothing are timed too and taken off.
"""
import tempfile

import ncnn
import numpy

from operands import make_operands
from worker import Contender

PACK = 16
REDUCED_PRECISION = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed",
                     "use_bf16_storage")


class Peer:
    def __init__(self, threads):
        self.threads = threads

    def versions(self):
        return {"ncnn": ncnn.__version__}

    def contenders(self, case):
        if case.get("pass") != "forward":
            return []
        if case["op"] == "conv2d":
            return [self.contender(case, "ncnn_winograd", True), self.contender(case, "ncnn", False)]
        return [self.contender(case, "ncnn", False)]

    def contender(self, case, who, winograd):
        option = ncnn.Option()
        option.num_threads = self.threads
        option.use_winograd_convolution = winograd
        for name in REDUCED_PRECISION:
            setattr(option, name, False)
        operands = make_operands(case)
        arrays = [array for array in (operands.x, operands.offset, operands.mask) if array is not None]
        images = [[packed(array[i], option) for array in arrays] for i in range(case["n"])]
        numbers = [ncnn.Mat(1) for _ in arrays]
        net = Net(option, len(arrays), layer(operands), operands)
        idle = Net(option, len(arrays), "Noop layer 1 1 input0 output")

        def compute():
            for image in images:
                net(image)

        def pass_time():
            for _ in images:
                idle(numbers)

        return Contender(case, who, compute,
                         lambda: numpy.stack([unpacked(net(image), option) for image in images]), pass_time)


class Net:
    """A layer, its inputs input0, input1, …, and its output."""

    def __init__(self, option, inputs, layer, operands=None):
        self.blob_pool, self.workspace_pool = ncnn.PoolAllocator(), ncnn.PoolAllocator()
        self.net = ncnn.Net()
        self.net.opt = option
        lines = [f"Input input{i} 0 1 input{i}" for i in range(inputs)] + [layer]
        check(self.net.load_param_mem(f"7767517\n{len(lines)} {inputs + 1}\n" + "\n".join(lines) + "\n"))
        with tempfile.NamedTemporaryFile() as file:
            if operands is not None:
                file.write(bytes(4) + operands.weight.tobytes() + operands.bias.tobytes())  # 0: float32 as it is
            file.flush()
            check(self.net.load_model(file.name))
        self.inputs, self.output = self.net.input_indexes(), self.net.output_indexes()[0]

    def __call__(self, mats):
        extractor = self.net.create_extractor()
        extractor.set_blob_allocator(self.blob_pool)  # a pool of its own: results of the net's pool are copied
        extractor.set_workspace_allocator(self.workspace_pool)
        for index, mat in zip(self.inputs, mats):
            extractor.input(index, mat)
        return extractor.extract(self.output, 1)[1]  # 1: in the packed layout


def layer(operands):
    # filters, kernel size, padding, bias, number of weights
    parameters = f"0={len(operands.bias)} 1=3 4=1 5=1 6={operands.weight.size}"
    if operands.offset is None:
        return f"Convolution layer 1 1 input0 output {parameters}"
    inputs = ["input0", "input1"] if operands.mask is None else ["input0", "input1", "input2"]
    return f"DeformableConv2D layer {len(inputs)} 1 {' '.join(inputs)} output {parameters}"


def packed(array, option):
    mat = ncnn.Mat(array).clone()
    return ncnn.convert_packing(mat, PACK, option) if len(array) % PACK == 0 else mat


def unpacked(mat, option):
    return numpy.array(ncnn.convert_packing(mat, 1, option))


def check(status):
    if status != 0:
        raise RuntimeError(f"ncnn cannot load the net: status {status}")
