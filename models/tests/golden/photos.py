"""Makes the files in photos/: one picture of four colours in the ways that images come. Needs Pillow.

expected.json says of each file the colours in the middle of the upper left, upper right, lower left and lower right
quarter, as Pillow shows them: turned as the EXIF data say, and on white where they are transparent.
"""

import json
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageOps

FOLDER = Path(__file__).parent / "photos"
COLOURS = [(200, 30, 40), (20, 180, 60), (30, 60, 220), (240, 230, 20)]
SIDE = 16


def quarter(x, y):
    return 2 * (y >= SIDE // 2) + (x >= SIDE // 2)


def picture():
    image = Image.new("RGB", (SIDE, SIDE))
    image.putdata([COLOURS[quarter(x, y)] for y in range(SIDE) for x in range(SIDE)])
    return image


def png16(path, kind, pixel):
    """A PNG of 16 bits a channel, which Pillow does not write: kind 2 is RGB, 4 grey with alpha, 0 grey."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(
        b"\0" + b"".join(struct.pack(">H", v) for x in range(SIDE) for v in pixel(quarter(x, y))) for y in range(SIDE)
    )
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 16, kind, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def printed(rgb):
    """The picture in the colours of printers, with as much black as can be."""
    planes = [[255 - v for v in plane.get_flattened_data()] for plane in rgb.split()]
    black = [min(values) for values in zip(*planes)]
    inks = [[255 * (v - k) // (255 - k) for v, k in zip(plane, black)] for plane in planes]
    bands = []
    for ink in [*inks, black]:
        band = Image.new("L", rgb.size)
        band.putdata(ink)
        bands.append(band)
    return Image.merge("CMYK", bands)


def save_ycck(path, cmyk):
    """What Photoshop writes and Pillow does not: the inks as luminance and two colours. Pillow writes the numbers as if
    they were inks, and Adobe's segment then says what they are."""
    *inks, black = cmyk.split()
    # Such a file has inverted inks, and inverts them once more on the way to luminance.
    y, cb, cr = Image.merge("RGB", inks).convert("YCbCr").split()
    Image.merge("CMYK", [ImageOps.invert(y), ImageOps.invert(cb), ImageOps.invert(cr), black]).save(path, quality=95)
    content = bytearray(path.read_bytes())
    assert content[2:4] == b"\xff\xee" and content[17] == 0
    content[17] = 2
    path.write_bytes(content)


def main():
    FOLDER.mkdir(exist_ok=True)
    rgb = picture()
    seen = {}

    def save(name, image, **options):
        image.save(FOLDER / name, **options)
        seen[name] = ImageOps.exif_transpose(Image.open(FOLDER / name))

    save("rgb.png", rgb)
    save("palette.png", rgb.quantize(8))
    save("grey.png", rgb.convert("L"))
    alpha = Image.new("L", (SIDE, SIDE), 255)
    alpha.paste(0, (0, 0, SIDE // 2, SIDE // 2))
    alpha.paste(128, (SIDE // 2, 0, SIDE, SIDE // 2))
    rgba = rgb.convert("RGBA")
    rgba.putalpha(alpha)
    save("rgba.png", rgba)
    grey_alpha = rgb.convert("LA")
    grey_alpha.putalpha(alpha)
    save("grey-alpha.png", grey_alpha)
    # A palette whose first colour is not there.
    entries = rgb.quantize(8)
    save("palette-alpha.png", entries, transparency=entries.getpixel((0, 0)))
    # Of several pictures the first is taken.
    others = [ImageOps.invert(rgb)]
    save("animated.png", rgb, save_all=True, append_images=others, duration=100)
    save("animated.webp", rgb, save_all=True, append_images=others, duration=100, lossless=True)
    save("rgb.jpg", rgb, quality=95, subsampling=0)
    save("progressive.jpg", rgb, quality=95, subsampling=0, progressive=True)
    save("grey.jpg", rgb.convert("L"), quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"turned-{orientation}.jpg", rgb, quality=95, subsampling=0, exif=exif)
        save(f"turned-{orientation}.webp", rgb, lossless=True, exif=exif)
    save("lossless.webp", rgb, lossless=True)
    save("lossy.webp", rgb, quality=95)
    save("alpha.webp", rgba, lossless=True)
    save("cmyk.jpg", printed(rgb), quality=95)
    save_ycck(FOLDER / "ycck.jpg", printed(rgb))
    seen["ycck.jpg"] = Image.open(FOLDER / "ycck.jpg")
    # To be refused: without Adobe's segment nobody says whether these colours are inverted.
    marked = (FOLDER / "cmyk.jpg").read_bytes()
    assert marked[2:4] == b"\xff\xee"
    (FOLDER / "cmyk-unmarked.jpg").write_bytes(marked[:2] + marked[18:])

    expected = {}
    for name, image in seen.items():
        image = image.convert("RGB").convert("RGBA") if image.mode == "CMYK" else image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        white.alpha_composite(image)
        places = [(4, 4), (12, 4), (4, 12), (12, 12)]
        expected[name] = [white.getpixel(place)[:3] for place in places]
    png16(FOLDER / "rgb16.png", 2, lambda q: [257 * v for v in COLOURS[q]])
    expected["rgb16.png"] = COLOURS
    greys = [10, 80, 160, 250]
    png16(FOLDER / "grey16.png", 0, lambda q: [257 * greys[q]])
    expected["grey16.png"] = [[v] * 3 for v in greys]
    png16(FOLDER / "grey-alpha16.png", 4, lambda q: [257 * greys[q], 65535 if q else 0])
    expected["grey-alpha16.png"] = [[v] * 3 for v in [255] + greys[1:]]
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
