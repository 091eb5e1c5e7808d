#!/usr/bin/env python3
"""scripts/npz_to_idx.py on small archives like Keras' mnist.npz: whole, damaged, of other arrays.

usage: npz_to_idx_test.py SCRIPTS_FOLDER
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve() / "npz_to_idx.py"


def npy(shape, values, descr="|u1", fortran_order=False):
    """A file of NumPy's array format, version 1.0."""
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values


ARRAYS = {"x_train": npy((2, 1, 3), b"abcdef"), "y_train": npy((2,), b"\x07\x02"),
          "x_test": npy((1, 1, 3), b"ghi"), "y_test": npy((1,), b"\x09")}


class Converting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def convert(self, arrays, *arguments, compression=zipfile.ZIP_STORED):
        archive = self.root / "mnist.npz"
        with zipfile.ZipFile(archive, "w", compression) as file:
            for name, data in arrays.items():
                file.writestr(f"{name}.npy", data)
        return subprocess.run([sys.executable, SCRIPT, archive, *arguments], text=True, capture_output=True)

    def test_arrays_become_idx_files(self):
        for compression in zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED:
            out = self.root / str(compression)
            self.assertEqual(self.convert(ARRAYS, out, compression=compression).returncode, 0)
            read = {path.name: path.read_bytes() for path in out.iterdir()}
            self.assertEqual(read, {
                "train-images-idx3-ubyte": b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x03abcdef",
                "train-labels-idx1-ubyte": b"\0\0\x08\x01\0\0\0\x02\x07\x02",
                "t10k-images-idx3-ubyte": b"\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0\x03ghi",
                "t10k-labels-idx1-ubyte": b"\0\0\x08\x01\0\0\0\x01\x09"})

    def test_files_go_beside_the_archive(self):
        result = self.convert(ARRAYS)
        self.assertIn(f"{self.root}/t10k-labels-idx1-ubyte\n", result.stdout)
        self.assertEqual(len(list(self.root.iterdir())), 5)

    def refused(self, arrays, text):
        result = self.convert(arrays)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"\Anpz_to_idx.py: .*mnist.npz: [^\n]*\n\Z")
        self.assertIn(text, result.stderr)
        self.assertEqual([path.name for path in self.root.iterdir()], ["mnist.npz"])

    def test_other_arrays_are_refused(self):
        self.refused({"x_train": ARRAYS["x_train"]}, "y_train.npy")
        self.refused({**ARRAYS, "y_test": npy((1,), b"\x09\0\0\0\0\0\0\0", "<i8")}, "y_test is {'descr': '<i8'")
        self.refused({**ARRAYS, "x_test": npy((1, 1, 3), b"ghi", fortran_order=True)}, "in C order")
        self.refused({**ARRAYS, "x_test": npy((1, 3), b"ghi")}, "with 3 dimensions")
        self.refused({**ARRAYS, "x_test": b"other"}, "expected NumPy's array format")
        self.refused({**ARRAYS, "x_test": npy((2, 1, 3), b"ghi")}, "has 3 bytes, expected 6")

    def test_what_is_no_archive_is_refused(self):
        (self.root / "mnist.npz").write_bytes(b"<html>")
        result = subprocess.run([sys.executable, SCRIPT, self.root / "mnist.npz"], text=True, capture_output=True)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
        self.assertIn("not a zip file", result.stderr)


if __name__ == "__main__":
    unittest.main()
