"""Makes the files in jpegs/: JPEGs in the forms that cameras and programs write. Needs Pillow and numpy.

expected.json has width, height and the SHA-256 of each picture's RGB as Pillow (libjpeg-turbo) decodes it. CMYK is converted
as browsers do.
"""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "jpegs"


def picture(width, height):
    """Soft colours with hard edges and some noise, of no particular size."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [127 + 120 * np.sin(x / 5 + y / (7 + c)) * np.cos(y / 4 - c) for c in range(3)]
    image = np.stack(waves, axis=-1)
    image[(x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = [250, 10, 60]
    noise = np.random.default_rng(width * height).normal(0, 6, image.shape)
    return Image.fromarray(np.clip(image + noise, 0, 255).astype(np.uint8))


def printed(photo):
    """The picture in the colours of printers, with as much black as can be."""
    inks = 255 - np.asarray(photo).astype(int)
    black = inks.min(axis=-1, keepdims=True)
    colours = 255 * (inks - black) // np.maximum(255 - black, 1)
    return Image.frombytes("CMYK", photo.size, np.concatenate([colours, black], axis=-1).astype(np.uint8).tobytes())


def main():
    FOLDER.mkdir(exist_ok=True)
    expected = {}

    def save(name, image, **options):
        content = io.BytesIO()
        image.save(content, "JPEG", **options)
        keep(name, content.getvalue())

    def keep(name, content):
        (FOLDER / name).write_bytes(content)
        decoded = Image.open(io.BytesIO(content))
        if decoded.mode == "CMYK":
            # As browsers do; Pillow rounds to the nearest byte.
            light = 255 - np.asarray(decoded).astype(int)
            rgb = (light[..., :3] * light[..., 3:] // 255).astype(np.uint8)
        else:
            rgb = np.asarray(decoded.convert("RGB"))
        expected[name] = [*decoded.size, hashlib.sha256(rgb.tobytes()).hexdigest()]

    photo = picture(67, 45)
    for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
        save(f"{name}.jpg", photo, quality=88, subsampling=subsampling)
        save(f"{name}-progressive.jpg", photo, quality=75, subsampling=subsampling, progressive=True)
    save("420-restarts.jpg", photo, quality=60, subsampling=2, restart_marker_blocks=3)
    save("420-poor.jpg", photo, quality=5, subsampling=2)
    save("420-fine.jpg", photo, quality=100, subsampling=2)
    for width, height in [(1, 1), (2, 3), (3, 2), (5, 5), (16, 16), (17, 9)]:
        small = picture(32, 32).crop((0, 0, width, height))
        for name, subsampling in [("422", 1), ("420", 2)]:
            save(f"{name}-{width}x{height}.jpg", small, quality=90, subsampling=subsampling)
    save("grey.jpg", photo.convert("L"), quality=80)
    save("grey-progressive.jpg", photo.convert("L"), quality=80, progressive=True)
    save("rgb.jpg", photo, quality=85, keep_rgb=True)
    cmyk = printed(photo)
    save("cmyk.jpg", cmyk, quality=85)
    save("cmyk-progressive.jpg", cmyk, quality=85, progressive=True)
    # Pillow does not write 4:4:0: the header of a 4:2:2 file says that its blocks lie one below the other.
    content = io.BytesIO()
    picture(64, 64).save(content, "JPEG", quality=85, subsampling=1)
    content = bytearray(content.getvalue())
    frame = content.index(b"\xff\xc0")
    assert content[frame + 11] == 0x21
    content[frame + 11] = 0x12
    keep("440.jpg", bytes(content))
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
