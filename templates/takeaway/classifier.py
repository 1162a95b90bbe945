"""From a photo to the input of the network, as preprocessing.json describes; and the rows that are printed.

What predict.py and predict_onnx.py share. Needs Pillow and numpy.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
PREPROCESSING = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))
LABELS = (HERE / "labels.txt").read_text(encoding="utf-8").split("\n")[:-1]

NOT_FINITE = "the network's scores are not numbers: the run diverged; choose an earlier checkpoint"

# What turns a photo upright, by its EXIF orientation.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(path):
    """The pixels of a photo: RGB [height, width, 3] of bytes, upright, and on white where it is transparent."""
    image = Image.open(path)
    image.load()
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    if image.mode.startswith("I"):
        # Grey of 16 bits: Pillow would clip it.
        high = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
        image = Image.fromarray(high)
    turn = UPRIGHT.get(exif.get(0x0112))
    if turn is not None:
        image = image.transpose(turn)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA")).astype(np.uint32)
        colours, alpha = rgba[..., :3], rgba[..., 3:]
        return ((colours * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    if image.mode == "CMYK":
        light = 255 - np.asarray(image).astype(np.uint32)
        return (light[..., :3] * light[..., 3:] // 255).astype(np.uint8)
    return np.asarray(image.convert("RGB"))


def box(width, height):
    """Where the photo lies in the input: left, top, width and height."""
    rows, columns = PREPROCESSING["size"]
    if PREPROCESSING["fit"] != "pad":
        return 0, 0, columns, rows
    longest = max(width, height)
    across = max(1, int(width * columns / longest + 0.5))
    down = max(1, int(height * rows / longest + 0.5))
    return (columns - across) // 2, (rows - down) // 2, across, down


def middle_square(pixels):
    """The middle square of a photo."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def taps(old, new):
    """For each new pixel along a side, the old pixels that it is made of and their shares: both [taps, new].

    Bilinear, with antialiasing.
    """
    scale = old / new
    reach = max(scale, 1.0)
    centres = (np.arange(new) + 0.5) * scale
    first = np.floor(np.maximum(centres - reach, 0)).astype(int)
    last = np.minimum(np.ceil(centres + reach), old).astype(int)
    places = first + np.arange((last - first).max())[:, None]
    shares = np.where(places < last, np.maximum(0.0, 1.0 - np.abs(places + 0.5 - centres) / reach), 0.0)
    # Sums are from the first to the last, as those of Vivarium: np.sum adds in another order.
    shares = shares / np.cumsum(shares, axis=0)[-1]
    return np.minimum(places, old - 1), shares.astype(np.float32)


def resize(pixels, new):
    """The first axis of pixels resized to a new length, in float32."""
    resized = np.zeros((new, *pixels.shape[1:]), np.float32)
    for places, shares in zip(*taps(len(pixels), new)):
        resized += pixels[places] * shares[:, None, None]
    return resized


def preprocess(path):
    """The input of the network for a photo: float32 [channels, height, width]."""
    pixels = decode(path)
    if PREPROCESSING["fit"] == "crop":
        pixels = middle_square(pixels)
    if PREPROCESSING["channels"] == "grey":
        red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
        pixels = ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8)[..., None]
    left, top, across, down = box(pixels.shape[1], pixels.shape[0])
    columns = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    rows = np.ascontiguousarray(resize(columns, across).transpose(2, 1, 0))
    photo = resize(rows, down).transpose(1, 0, 2)
    values = np.zeros((len(photo), *PREPROCESSING["size"]), np.float32)
    values[:, top : top + down, left : left + across] = photo
    if PREPROCESSING["round"]:
        values = np.floor(values.astype(np.float64) + 0.5).clip(0, 255) / 255
    else:
        values /= np.float32(255)
    mean = np.array(PREPROCESSING["mean"])[:, None, None]
    std = np.array(PREPROCESSING["std"])[:, None, None]
    return ((values - mean) / std).astype(np.float32)


def probabilities(scores):
    """The softmax of each row of scores; the scores themselves where they are no logits."""
    if PREPROCESSING["scores"] != "logits":
        return scores
    powers = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cell(text):
    """Text that a spreadsheet does not take for a formula."""
    is_formula = text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r")
    return f"'{text}" if text and is_formula else text


def ordinal(place):
    """“second”, “third” … “6th”, “7th”."""
    if place < 6:
        return ["second", "third", "fourth", "fifth"][place - 2]
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{place}{'th' if place % 100 in (11, 12, 13) else endings.get(place % 10, 'th')}"


def columns_of(top):
    """The names of the columns."""
    value = "probability" if PREPROCESSING["scores"] == "logits" else "score"
    names = ["path", "class", value]
    for place in range(2, top + 1):
        names += [ordinal(place), f"{ordinal(place)}_{value}"]
    return names


def files_in(paths):
    """The files, and those in folders."""
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*"))
            yield from (file for file in found if file.is_file() and not file.name.startswith("."))
        else:
            yield path


def main(description, scores_of, batch=16):
    """Prints a row of CSV for each photo of the command line; `scores_of` gives scores [n, classes] of a batch."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="photos, or folders of photos")
    parser.add_argument("--top", type=int, default=5, help="how many classes are printed for each photo")
    arguments = parser.parse_args()
    top = max(1, min(arguments.top, len(LABELS)))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(columns_of(top))
    waiting, is_complete = [], True

    def flush():
        if not waiting:
            return
        nonlocal is_complete
        scores = scores_of(np.stack([values for _, values in waiting]))
        for (path, _), row in zip(waiting, scores):
            if not np.isfinite(row).all():
                print(f"{path}: {NOT_FINITE}", file=sys.stderr)
                is_complete = False
                continue
            row = probabilities(row[None])[0]
            best = np.argsort(-row, kind="stable")[:top]
            out.writerow([cell(str(path)), *(v for c in best for v in (cell(LABELS[c]), f"{row[c]:.7g}"))])
        waiting.clear()

    for path in files_in(arguments.paths):
        try:
            waiting.append((path, preprocess(path)))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            is_complete = False
        if len(waiting) == batch:
            flush()
    flush()
    return 0 if is_complete else 1
