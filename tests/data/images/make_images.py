#!/usr/bin/env python3
"""Makes the JPEG, PNG and BMP files beside it and, as .ppm, what Pillow reads in them. Made with Pillow 13.0.0
(libjpeg-turbo 3.2.0); another version may write other files, and must read the same pixels.

usage: make_images.py [FOLDER]
"""

import io
import sys
from pathlib import Path

import numpy
from PIL import Image

folder = Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
folder = folder if folder.is_dir() else folder.parent
y, x = numpy.mgrid[0:18, 0:21]
picture = Image.fromarray(
    numpy.stack([(x * 7 + y * 3) % 256, (x * 2 + y * 11 + 40) % 256, 255 - x * 5 - y], -1).astype(numpy.uint8))


def encode(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60, **options)
    return buffer.getvalue()


inks = bytearray(encode(picture.convert("CMYK")))
transform = inks.index(b"Adobe") + 11
files = {
    "444": encode(picture, subsampling="4:4:4"),
    "422": encode(picture, subsampling="4:2:2"),
    "420": encode(picture, subsampling="4:2:0"),
    "progressive": encode(picture, progressive=True),
    "restarts": encode(picture, restart_marker_blocks=1),
    "rgb": encode(picture, keep_rgb=True),
    "cmyk": bytes(inks),
    "ycck": bytes(inks[:transform]) + b"\2" + bytes(inks[transform + 1:]),  # the same inks read as YCCK
    "grey": encode(Image.fromarray(numpy.array([[0, 50, 100], [150, 200, 250]], numpy.uint8))),
}
for name, contents in files.items():
    (folder / f"{name}.jpg").write_bytes(contents)
    with Image.open(io.BytesIO(contents)) as image:
        image.convert("RGB").save(folder / f"{name}.ppm")
few_colours = picture.quantize(11)
for ending in ("png", "bmp"):
    few_colours.save(folder / f"palette.{ending}")
few_colours.convert("RGB").save(folder / "palette.ppm")
