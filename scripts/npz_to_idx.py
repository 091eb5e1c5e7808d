#!/usr/bin/env python3
"""Writes Keras' mnist.npz as the IDX files that deft reads.

usage: scripts/npz_to_idx.py ARCHIVE [FOLDER]

The four files, train-images-idx3-ubyte and so on, go to FOLDER, by default the archive's. Needs no packages.
"""
import argparse
import ast
import math
import pathlib
import struct
import sys
import zipfile

# The arrays of the archive, by the files that they become.
ARRAYS = {"train-images-idx3-ubyte": "x_train", "train-labels-idx1-ubyte": "y_train",
          "t10k-images-idx3-ubyte": "x_test", "t10k-labels-idx1-ubyte": "y_test"}
BYTE = 8  # the type code of IDX


def read_array(archive, name, dim):
    """Shape and bytes of an array of bytes with `dim` dimensions (numpy.lib.format describes the file)."""
    data = archive.read(f"{name}.npy")
    if data[:6] != b"\x93NUMPY":
        raise ValueError(f"{name}.npy starts with {data[:6]!r}, expected NumPy's array format")
    begin, size = (10, struct.unpack_from("<H", data, 8)) if data[6] == 1 else (12, struct.unpack_from("<I", data, 8))
    header = ast.literal_eval(data[begin:begin + size[0]].decode())
    shape, values = header["shape"], data[begin + size[0]:]
    if header["descr"] != "|u1" or header["fortran_order"] or len(shape) != dim:
        raise ValueError(f"{name} is {header}, expected an array of bytes (|u1) with {dim} dimensions in C order")
    if len(values) != math.prod(shape):
        raise ValueError(f"{name} has {len(values)} bytes, expected {math.prod(shape)}")
    return shape, values


def idx(shape, values):
    """An IDX file: magic number, sizes, bytes."""
    return struct.pack(f">4B{len(shape)}I", 0, 0, BYTE, len(shape), *shape) + values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=pathlib.Path, help="mnist.npz")
    parser.add_argument("folder", type=pathlib.Path, nargs="?", help="where the files go; default: that of the archive")
    arguments = parser.parse_args()
    folder = arguments.folder or arguments.archive.parent
    try:
        with zipfile.ZipFile(arguments.archive) as archive:
            files = {file: idx(*read_array(archive, name, 3 if "images" in file else 1))
                     for file, name in ARRAYS.items()}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        sys.exit(f"npz_to_idx.py: {arguments.archive}: {error.args[0] if isinstance(error, KeyError) else error}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        temporary = folder / f".{name}.new"
        temporary.write_bytes(data)
        temporary.replace(folder / name)
        print(folder / name)


if __name__ == "__main__":
    main()
