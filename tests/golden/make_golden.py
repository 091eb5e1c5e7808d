#!/usr/bin/env python3
"""Makes a golden file: cases of operations, with outputs and gradients that PyTorch and torchvision compute in float64.

usage: make_golden.py FILE [--seed N]      (pip install torch torchvision safetensors)

The file is a safetensors file whose metadata has "cases", a JSON list of {"name", "op", attributes...}; the tensors of
a case are NAME/input, NAME/output, NAME/grad_output, NAME/grad_input and so on, in PyTorch's layouts. The test of
tests/golden reads every *.safetensors file of this folder; DEFT_GOLDEN=FILE names another one in their place.
"""
import argparse
import itertools
import json

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torchvision.ops import deform_conv2d
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import affine


class Golden:
    def __init__(self, seed):
        self.random = torch.Generator().manual_seed(seed)
        self.cases, self.tensors = [], {}

    def normal(self, *shape):
        return torch.randn(shape, generator=self.random, dtype=torch.float64)

    def add(self, op, tensors, **attributes):
        name = f"{op}_{sum(case['op'] == op for case in self.cases):02d}"
        self.cases.append({"name": name, "op": op, **attributes})
        for key, tensor in tensors.items():
            self.tensors[f"{name}/{key}"] = tensor.detach().reshape(tensor.shape or (1,)).contiguous().clone()

    def add_function(self, op, function, inputs, others=None, **attributes):
        """A case of function(**inputs, **others), with its gradients in all inputs that are there."""
        inputs = {key: value.clone().requires_grad_() for key, value in inputs.items() if value is not None}
        others = others or {}
        output = function(**inputs, **others)
        grad_output = self.normal(*output.shape)
        gradients = torch.autograd.grad(output, list(inputs.values()), grad_output)
        tensors = {**inputs, **others, "output": output, "grad_output": grad_output}
        self.add(op, {**tensors, **{f"grad_{key}": one for key, one in zip(inputs, gradients)}}, **attributes)

    def save(self, file):
        source = f"torch {torch.__version__}"
        save_file(self.tensors, file, {"cases": json.dumps(self.cases), "source": source})


# Input [N, C, H, W], output channels, kernel, stride, padding, dilation, groups, offset groups.
CONVOLUTIONS = (
    ((2, 4, 7, 9), 6, (3, 3), (1, 1), (1, 1), (1, 1), 1, 1),
    ((1, 6, 8, 5), 4, (3, 5), (2, 1), (1, 2), (1, 1), 2, 3),
    ((3, 3, 9, 9), 5, (3, 3), (2, 2), (0, 1), (2, 1), 1, 1),
    ((2, 8, 6, 6), 8, (1, 1), (1, 1), (0, 0), (1, 1), 4, 2),
    ((1, 5, 10, 7), 10, (2, 4), (1, 2), (2, 1), (1, 2), 5, 5),
    ((2, 33, 6, 7), 17, (3, 3), (1, 1), (1, 1), (1, 1), 1, 1),
)


def convolutions(golden):
    for (n, c, h, w), out, kernel, stride, padding, dilation, groups, offset_groups in CONVOLUTIONS:
        shape = {"stride": stride, "padding": padding, "dilation": dilation}
        taps = kernel[0] * kernel[1]
        out_h, out_w = ((size + 2 * p - d * (k - 1) - 1) // s + 1
                        for size, k, s, p, d in zip((h, w), kernel, stride, padding, dilation))
        for whole in (True, False):  # with bias and mask, and without
            inputs = {"input": golden.normal(n, c, h, w), "weight": golden.normal(out, c // groups, *kernel),
                      "bias": golden.normal(out) if whole else None}
            golden.add_function("conv2d", lambda **tensors: F.conv2d(**tensors, **shape, groups=groups), inputs,
                                **shape, groups=groups)
            inputs["offset"] = golden.normal(n, 2 * offset_groups * taps, out_h, out_w)
            inputs["mask"] = golden.normal(n, offset_groups * taps, out_h, out_w).sigmoid() if whole else None
            golden.add_function("deform_conv2d", lambda **tensors: deform_conv2d(**tensors, **shape), inputs,
                                **shape, groups=groups, offset_groups=offset_groups)


def one_sided_derivatives(golden):
    """Offsets to pixels' centres and to the border, where torchvision's derivatives are those of one side."""
    shape = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}
    size = (2, 18, 5, 6)
    for offset in (torch.zeros(size, dtype=torch.float64), golden.normal(*size).mul(2).round(),
                   golden.normal(*size).mul(8).round()):
        golden.add_function("deform_conv2d", lambda **tensors: deform_conv2d(**tensors, **shape),
                            {"input": golden.normal(2, 3, 5, 6), "weight": golden.normal(4, 3, 3, 3),
                             "bias": golden.normal(4), "offset": offset, "mask": golden.normal(2, 9, 5, 6).sigmoid()},
                            **shape, groups=1, offset_groups=1)


def poolings(golden):
    x = golden.normal(2, 5, 9, 8)
    for kernel, stride, padding in (((2, 2), (2, 2), (0, 0)), ((3, 3), (2, 2), (1, 1)), ((3, 2), (1, 2), (1, 0)),
                                    ((4, 4), (2, 2), (1, 1))):
        shape = {"kernel_size": kernel, "stride": stride, "padding": padding}
        golden.add_function("max_pool2d", lambda input: F.max_pool2d(input, **shape), {"input": x}, **shape)
        for count in (True, False):
            golden.add_function("avg_pool2d", lambda input: F.avg_pool2d(input, **shape, count_include_pad=count),
                                {"input": x}, **shape, count_include_pad=count)
    for size in ((1, 1), (3, 2), (7, 7)):
        golden.add_function("adaptive_avg_pool2d", lambda input: F.adaptive_avg_pool2d(input, size), {"input": x},
                            output_size=size)


def layers(golden):
    for bias in (golden.normal(3), None):
        golden.add_function("linear", F.linear, {"input": golden.normal(5, 7), "weight": golden.normal(3, 7),
                                                 "bias": bias})
    for op, function in (("relu", F.relu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh)):
        golden.add_function(op, function, {"input": golden.normal(4, 6)})
    for op, function in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        golden.add_function(op, lambda input: function(input, dim=1), {"input": golden.normal(6, 10)})
    for smoothing in (0.0, 0.1):
        target = torch.randint(0, 10, (8,), generator=golden.random)
        golden.add_function("cross_entropy",
                            lambda input, target: F.cross_entropy(input, target, label_smoothing=smoothing),
                            {"input": golden.normal(8, 10)}, {"target": target}, label_smoothing=smoothing)
    for training in (True, False):
        running = {"running_mean_before": golden.normal(4), "running_var_before": golden.normal(4).exp()}
        mean, var = (one.clone() for one in running.values())
        golden.add_function("batch_norm2d",
                            lambda input, weight, bias, **_: F.batch_norm(input, mean, var, weight, bias, training),
                            {"input": golden.normal(3, 4, 5, 6), "weight": golden.normal(4), "bias": golden.normal(4)},
                            running, training=training, momentum=0.1, eps=1e-5)
        name = golden.cases[-1]["name"]
        golden.tensors.update({f"{name}/running_mean_after": mean, f"{name}/running_var_after": var})


def optimizers(golden):
    for kind, options in (("sgd", {"lr": 0.1}), ("sgd", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
                          ("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True}), ("adam", {"lr": 0.01}),
                          ("adam", {"lr": 0.01, "weight_decay": 0.1}),
                          ("adamw", {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-6})):
        parameters = [golden.normal(3, 4).requires_grad_(), golden.normal(5).requires_grad_()]
        optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](
            parameters, **options)
        tensors = {f"param{j}_initial": one.detach().clone() for j, one in enumerate(parameters)}
        for step, (j, one) in itertools.product(range(5), enumerate(parameters)):
            one.grad = golden.normal(*one.shape)
            tensors[f"param{j}_grad{step}"] = one.grad.clone()
            if j + 1 == len(parameters):
                optimizer.step()
                tensors.update({f"param{i}_after{step}": p.detach().clone() for i, p in enumerate(parameters)})
        golden.add("optimizer", tensors, kind=kind, **options)


def affine_maps(golden):
    def add(image, **attributes):
        mode = InterpolationMode(attributes["interpolation"])
        output = affine(image, **{**attributes, "interpolation": mode, "fill": [attributes["fill"]]})
        kind = {"dtype": "float32"} if image.dtype == torch.float32 else {}
        golden.add("affine", {"input": image, "output": output}, **kind, **attributes)

    still = {"angle": 0, "translate": (0, 0), "shear": (0, 0), "fill": 0.0}
    for mode in ("nearest", "bilinear"):
        for scale in (0.55, 1.3):
            add(golden.normal(2, 3, 11, 17), **{**still, "scale": scale, "interpolation": mode})
        for angle, translate, scale, shear, fill in ((30, (0, 0), 1.0, (0, 0), -0.4), (-77, (3, -2), 0.8, (0, 0), 0.0),
                                                     (15, (1, 2), 1.1, (10, -5), 0.5)):
            add(golden.normal(2, 1, 28, 28), angle=angle, translate=translate, scale=scale, shear=shear,
                interpolation=mode, fill=fill)
    numbered = torch.arange(28 * 28, dtype=torch.float32).reshape(1, 1, 28, 28)
    for tenths in range(5, 16):  # the scales of experiment E0
        add(numbered, **{**still, "scale": tenths / 10, "interpolation": "nearest"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs")
    arguments = parser.parse_args()
    golden = Golden(arguments.seed)
    for add_cases in (convolutions, one_sided_derivatives, poolings, layers, optimizers, affine_maps):
        add_cases(golden)
    golden.save(arguments.file)
    print(f"{arguments.file}: {len(golden.cases)} cases")


if __name__ == "__main__":
    main()
