#!/usr/bin/env python3
"""The resources of the CUDA kernels, as a Markdown table: registers, shared memory, spills, from ptxas.

usage: scripts/cuda_resources.py [--arch 90] [--all] [PATTERN...]

Compiles the library in build/cuda_resources with -Xptxas -v and lists the kernels whose name matches one of the
patterns (regular expressions), without patterns the main ones, those of docs/cuda.md. Kernels for double are left out.
--all lists every kernel.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "cuda_resources"
# Of kernels that exist for several vector widths and types, the one for four floats.
MAIN = ["deform_(input|position)", "fill_panel", "gather_taps", "batch_norm_(sums|normalise|grad_input).*4>",
        "softmax_kernel<WarpLines", "max_pool2d.*char, 4", "mean_.*4, Fixed", "optimizer_kernel", "reduce_kernel<Sum<float>",
        "affine_warp.*char", "transpose_kernel<unsigned int>", "dropout", "map_kernel<4, (Add|Relu|Gelu), float"]


def compile_verbosely(arch):
    """The compiler's output for every .cu file."""
    subprocess.run(
        ["cmake", "-S", ROOT, "-B", FOLDER, "-G", "Ninja", "-DDEFT_CUDA=ON", f"-DCMAKE_CUDA_ARCHITECTURES={arch}",
         "-DCMAKE_CUDA_FLAGS=-Xptxas=-v", "-DDEFT_TESTS=OFF", "-DDEFT_APPS=OFF"],
        check=True, stdout=subprocess.DEVNULL)
    targets = subprocess.run(["ninja", "-C", FOLDER, "-t", "targets", "all"], check=True, capture_output=True, text=True)
    objects = [line.split(":")[0] for line in targets.stdout.splitlines() if ".cu.o:" in line]
    for target in objects:  # an object that is up to date would print nothing
        (FOLDER / target).unlink(missing_ok=True)
    built = subprocess.run(["ninja", "-C", FOLDER, *objects], capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(built.stdout[-4000:])
    return built.stdout


def kernels_in(text):
    """(mangled name, registers, static shared bytes, stack bytes, spilled bytes) of each kernel."""
    entry = re.compile(
        r"Compiling entry function '(\w+)' for.*?"
        r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers([^\n]*)", re.S)
    for name, stack, stores, loads, registers, rest in entry.findall(text):
        shared = re.search(r"(\d+) bytes smem", rest)
        yield name, int(registers), int(shared.group(1)) if shared else 0, int(stack), int(stores) + int(loads)


def readable(mangled_names):
    """Demangled, without return types, parameters and what every name shares."""
    text = subprocess.run(["c++filt"], input="\n".join(mangled_names), check=True, capture_output=True, text=True).stdout
    for name in text.splitlines():
        name = re.sub(r"\(anonymous namespace\)::", "", name)
        name = re.sub(r"^void ", "", name)
        name = without_parameters(name)
        yield re.sub(r"\b(deft|kernels|cuda_\w+)::", "", name).replace(" >", ">")


def without_parameters(name):
    """The name up to the parenthesis that opens the parameters, the first one outside template arguments."""
    depth = 0
    for i, character in enumerate(name):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "(" and depth == 0:
            return name[:i]
    return name


def main():
    parser = argparse.ArgumentParser(description="Registers, shared memory and spills of the CUDA kernels.")
    parser.add_argument("--arch", default="90", help="compute capability to compile for")
    parser.add_argument("--all", action="store_true", help="every kernel")
    parser.add_argument("pattern", nargs="*", help="regular expression that a kernel's name matches")
    arguments = parser.parse_args()

    found = list(kernels_in(compile_verbosely(arguments.arch)))
    patterns = arguments.pattern or MAIN
    rows = set()
    for name, (_, *numbers) in zip(readable(kernel[0] for kernel in found), found):
        wanted = "double" not in name and any(re.search(pattern, name) for pattern in patterns)
        if arguments.all or wanted:
            rows.add((name, *numbers))
    print("| kernel | registers | static shared memory | stack | spilled |\n|---|---:|---:|---:|---:|")
    for name, registers, shared, stack, spilled in sorted(rows):
        print(f"| `{name}` | {registers} | {shared} B | {stack} B | {spilled} B |")
    spilling = sum(kernel[-1] > 0 for kernel in found)
    print(f"\nOf all {len(found)} kernels for compute capability {arguments.arch}, {spilling} spill registers.")


if __name__ == "__main__":
    main()
