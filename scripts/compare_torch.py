#!/usr/bin/env python3
"""Times conv2d and deform_conv2d in deft and in PyTorch with torchvision: the same shapes, in turns, on one device.

usage: scripts/compare_torch.py BENCH [--device cuda] [--rounds 3] [--seconds 0.05] [--tiny] [--json FILE]

BENCH is deft's program of that name. Each round runs its kernels and then PyTorch's, so that both see the same states
of the machine; a time is the median over the rounds of medians. PyTorch gets its best settings: convolutions in
channels_last with cuDNN's benchmark mode; torchvision's deformable convolution takes only contiguous tensors.
A backward pass is that of all inputs. Prints a Markdown table.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time

import torch
import torchvision

ROTATED_BYTES = 256 << 20  # more than any GPU's second-level cache
MOST_SETS = 64


def ours(arguments):
    """deft's records of the kernels that have PyTorch counterparts."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [arguments.bench, "kernels", "--filter", "conv2d", "--device", arguments.device, "--json", file.name,
                   "--seconds", str(arguments.seconds)] + (["--tiny"] if arguments.tiny else [])
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.load(open(file.name))


class Timer:
    """Milliseconds between two points of a device's work."""

    def __init__(self, device):
        self.cuda = device == "cuda"
        if self.cuda:
            self.start, self.end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def __enter__(self):
        if self.cuda:
            self.start.record()
        else:
            self.start = time.perf_counter()

    def __exit__(self, *_):
        if self.cuda:
            self.end.record()
        else:
            self.end = time.perf_counter()

    def milliseconds(self):
        if self.cuda:
            self.end.synchronize()
            return self.start.elapsed_time(self.end)
        return 1e3 * (self.end - self.start)


def median_ms(calls, device, seconds):
    """The median time of calls that take turns, after warming up."""
    for call in calls[:3]:
        call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        timers = []
        for i in range(20 if device == "cuda" else 1):  # so many before waiting, so that the GPU is not idle
            timer = Timer(device)
            with timer:
                calls[(len(times) + i) % len(calls)]()
            timers.append(timer)
        times += [timer.milliseconds() for timer in timers]
    return statistics.median(times)


class Operation:
    """One set of operands of a 3×3 convolution with padding 1; version 0 is the ordinary one."""

    def __init__(self, version, n, c, o, size, device):
        layout = torch.contiguous_format if version else torch.channels_last

        def random(*shape):
            return torch.randn(shape, device=device)

        self.version = version
        self.operands = [random(n, c, size, size).contiguous(memory_format=layout),
                         random(o, c, 3, 3).contiguous(memory_format=layout), random(o)]
        if version:
            self.operands.append(random(n, 18, size, size))
        if version == 2:
            self.operands.append(random(n, 9, size, size))
        for operand in self.operands:
            operand.requires_grad_()
        self.output = self()
        self.grad_output = torch.randn_like(self.output)

    def __call__(self):
        x, weight, bias, *offset_and_mask = self.operands
        if not self.version:
            return torch.nn.functional.conv2d(x, weight, bias, padding=1)
        offset, mask = (offset_and_mask + [None])[:2]
        return torchvision.ops.deform_conv2d(x, offset, weight, bias, padding=1, mask=mask)

    def forward(self):
        with torch.no_grad():
            self()

    def backward(self):
        torch.autograd.grad(self.output, self.operands, self.grad_output, retain_graph=True)

    def bytes(self):
        return 4 * sum(tensor.numel() for tensor in [*self.operands, self.output, self.grad_output])


VERSIONS = {"conv2d": 0, "deform_conv2d_v1": 1, "deform_conv2d_v2": 2}


def theirs(op, shape, precision, arguments):
    """PyTorch's milliseconds, forward and backward."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "TF32"
    first = Operation(VERSIONS[op], *shape, arguments.device)
    sets = 2 if arguments.tiny else min(MOST_SETS, -(-ROTATED_BYTES // first.bytes()))
    operations = [first] + [Operation(VERSIONS[op], *shape, arguments.device) for _ in range(sets - 1)]
    return {name: median_ms([getattr(operation, name) for operation in operations], arguments.device, arguments.seconds)
            for name in ("forward", "backward")}


def summed(records):
    """Milliseconds by (op, shape, precision) and pass; the backward pass of conv2d is two kernels."""
    times = {}
    for record in records:
        if record["algorithm"] != "automatic":
            continue
        key = (record["op"], tuple(record[name] for name in ("n", "c", "o", "size")), record["precision"])
        name = record["pass"].split("_")[0]
        entry = times.setdefault(key, {"forward": 0, "backward": 0})
        entry[name] += record["median_ms"]
    return times


def main():
    parser = argparse.ArgumentParser(description="Times deft's and PyTorch's convolutions in turns.")
    parser.add_argument("bench")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--json")
    arguments = parser.parse_args()

    deft, pytorch = {}, {}
    for _ in range(arguments.rounds):
        for key, times in summed(ours(arguments)).items():
            deft.setdefault(key, []).append(times)
            pytorch.setdefault(key, []).append(theirs(*key, arguments))

    name = torch.cuda.get_device_name() if arguments.device == "cuda" else "CPU"
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__} on {name}; "
          f"medians of {arguments.rounds} rounds in turns, ms.\n")
    print("| op | n, c→o, size | precision | pass | deft | PyTorch | PyTorch / deft |\n|---|---|---|---|---:|---:|---:|")
    records = []
    for (op, (n, c, o, size), precision), rounds in deft.items():
        for which in ("forward", "backward"):
            mine = statistics.median(times[which] for times in rounds)
            other = statistics.median(times[which] for times in pytorch[op, (n, c, o, size), precision])
            print(f"| {op} | {n}, {c}→{o}, {size} | {precision} | {which} | {mine:.3f} | {other:.3f} | {other / mine:.2f} |")
            records.append({"op": op, "pass": which, "n": n, "c": c, "o": o, "size": size, "precision": precision,
                            "deft_ms": mine, "torch_ms": other, "torch": torch.__version__, "device": name})
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(records, file, indent=2)


if __name__ == "__main__":
    main()
