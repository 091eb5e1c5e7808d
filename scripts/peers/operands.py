"""The operands that every peer is given: the same random numbers, for a 3×3 convolution with stride 1 and padding 1."""
import dataclasses

import numpy

VERSIONS = {"conv2d": 0, "deform_conv2d_v1": 1, "deform_conv2d_v2": 2}


@dataclasses.dataclass
class Operands:
    """Arrays of float32, channels first as all peers have them; offset and mask are None where there are none."""
    x: numpy.ndarray  # [n, c, size, size]
    weight: numpy.ndarray  # [o, c, 3, 3]
    bias: numpy.ndarray  # [o]
    offset: numpy.ndarray = None  # [n, 18, size, size], about a pixel
    mask: numpy.ndarray = None  # [n, 9, size, size]

    def all(self):
        return [array for array in dataclasses.astuple(self) if array is not None]


def make_operands(case):
    n, c, o, size = (case[name] for name in ("n", "c", "o", "size"))
    generator = numpy.random.default_rng(1)

    def normal(*shape):
        return generator.standard_normal(shape, dtype=numpy.float32)

    operands = Operands(normal(n, c, size, size), normal(o, c, 3, 3), normal(o))
    version = VERSIONS[case["op"]]
    if version:
        operands.offset = normal(n, 18, size, size)
    if version == 2:
        operands.mask = generator.random((n, 9, size, size), dtype=numpy.float32)
    return operands
