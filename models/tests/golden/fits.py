"""Makes fits/: photos that are not square, and what PyTorch makes of them for each fit. Needs PyTorch and Pillow.

expected.json has for each case the values [3, size, size], from 0 to 255: the middle square, the whole photo between
black bars, or the whole photo stretched, by torch's interpolate(mode="bilinear", antialias=True).
"""

import json
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.nn.functional import interpolate, pad

FOLDER = Path(__file__).parent / "fits"


def photo(width, height):
    """Smooth waves with an edge, in colour."""
    y, x = numpy.mgrid[0:height, 0:width] / 8
    waves = [numpy.sin(x + 2 * y), numpy.cos(1.7 * x - y), numpy.sin(x * y / 3)]
    pixels = 128 + 80 * numpy.stack(waves, 2) + 40 * (x > y)[:, :, None]
    return Image.fromarray(pixels.clip(0, 255).astype("uint8"))


def resize(image, width, height):
    return interpolate(image[None], size=(height, width), mode="bilinear", antialias=True)[0]


def crop(image, size):
    _, height, width = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(image[:, top : top + side, left : left + side], size, size)


def padded(image, size):
    _, height, width = image.shape
    longest = max(height, width)
    shown = [max(1, int(length * size / longest + 0.5)) for length in (width, height)]
    small = resize(image, *shown)
    left, top = [(size - length) // 2 for length in shown]
    return pad(small, (left, size - shown[0] - left, top, size - shown[1] - top))


def stretch(image, size):
    return resize(image, size, size)


FITS = {"crop": crop, "pad": padded, "stretch": stretch}


def main():
    FOLDER.mkdir(exist_ok=True)
    cases = []
    for name, width, height in [("wide.png", 37, 20), ("high.png", 18, 41)]:
        image = photo(width, height)
        image.save(FOLDER / name, optimize=True)
        values = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).double()
        for size in (8, 13, 24):
            for fit, make in FITS.items():
                rounded = [round(v, 3) for v in make(values, size).flatten().tolist()]
                cases.append({"file": name, "fit": fit, "size": size, "values": rounded})
    (FOLDER / "expected.json").write_text(json.dumps(cases))


main()
