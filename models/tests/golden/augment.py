"""Makes the images of the augmentations with torchvision (0.29.2) and holds them against Pillow (13.0.0): augment.json.

    python3 augment.py

`bytes`: an image of 3x24x24 bytes; for each operation of RandAugment the result of torchvision's functional on uint8
tensors, and how far Pillow's is from it at most (where Pillow has the operation). `floats`: the same image from 0 to 1; for each
change of colour jitter the result. `crops`: parts of the image, resized to the whole. `space`: the magnitudes of
RandAugment's operations for images of 224 pixels.
Images are in base64: bytes, or little-endian floats of 32 bits.
"""

import base64
import json
import math
import pathlib

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torchvision.transforms import InterpolationMode, RandAugment
from torchvision.transforms.v2 import functional as F

HERE = pathlib.Path(__file__).parent
SIZE = 24


def picture():
    """Waves and a corner of one colour, so that no channel has every value and none is even."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    red = 128 + 90 * np.sin(x / 2.5) * np.cos(y / 4)
    green = 20 + 11 * x + 2 * y
    blue = 235 - 9 * y - np.abs(x - 7) * 6
    image = np.stack([red, green, blue]).round()
    image[:, :4, :4] = np.array([250, 40, 90])[:, None, None]
    return torch.tensor(image.clip(0, 255), dtype=torch.uint8)


def affine(image, translate=(0, 0), shear=(0.0, 0.0)):
    return F.affine(image, angle=0.0, translate=list(translate), scale=1.0, shear=list(shear),
                    interpolation=InterpolationMode.NEAREST, fill=None, center=[0, 0] if any(shear) else None)


packed = lambda tensor: base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()
degrees = lambda slope: math.degrees(math.atan(slope))
image = picture()
pil = Image.fromarray(image.permute(1, 2, 0).numpy())
enhance = lambda kind, factor: kind(pil).enhance(factor)
OPERATIONS = [
    ("shear_x", 0.13, affine(image, shear=(degrees(0.13), 0.0)), None),
    ("shear_x", -0.27, affine(image, shear=(degrees(-0.27), 0.0)), None),
    ("shear_y", 0.21, affine(image, shear=(0.0, degrees(0.21))), None),
    ("translate_x", 3, affine(image, translate=(3, 0)), pil.transform(pil.size, Image.AFFINE, (1, 0, -3, 0, 1, 0))),
    ("translate_y", -2, affine(image, translate=(0, -2)), pil.transform(pil.size, Image.AFFINE, (1, 0, 0, 0, 1, 2))),
    ("rotate", 9.0, F.rotate(image, 9.0, InterpolationMode.NEAREST), None),
    ("rotate", -27.0, F.rotate(image, -27.0, InterpolationMode.NEAREST), None),
    ("brightness", 1.27, F.adjust_brightness(image, 1.27), enhance(ImageEnhance.Brightness, 1.27)),
    ("brightness", 0.4, F.adjust_brightness(image, 0.4), enhance(ImageEnhance.Brightness, 0.4)),
    ("color", 1.63, F.adjust_saturation(image, 1.63), enhance(ImageEnhance.Color, 1.63)),
    ("color", 0.1, F.adjust_saturation(image, 0.1), enhance(ImageEnhance.Color, 0.1)),
    ("contrast", 1.9, F.adjust_contrast(image, 1.9), enhance(ImageEnhance.Contrast, 1.9)),
    ("contrast", 0.55, F.adjust_contrast(image, 0.55), enhance(ImageEnhance.Contrast, 0.55)),
    ("sharpness", 1.9, F.adjust_sharpness(image, 1.9), enhance(ImageEnhance.Sharpness, 1.9)),
    ("sharpness", 0.2, F.adjust_sharpness(image, 0.2), enhance(ImageEnhance.Sharpness, 0.2)),
    ("posterize", 4, F.posterize(image, 4), ImageOps.posterize(pil, 4)),
    ("posterize", 7, F.posterize(image, 7), ImageOps.posterize(pil, 7)),
    ("solarize", 127.5, F.solarize(image, 127.5), ImageOps.solarize(pil, 127.5)),
    ("solarize", 0.0, F.solarize(image, 0.0), ImageOps.solarize(pil, 0)),
    ("auto_contrast", 0, F.autocontrast(image), ImageOps.autocontrast(pil)),
    ("equalize", 0, F.equalize(image), ImageOps.equalize(pil)),
]


def operations():
    cases = []
    for name, magnitude, result, pillows in OPERATIONS:
        apart = None
        if pillows is not None:
            other = torch.tensor(np.asarray(pillows)).permute(2, 0, 1)
            apart = (result.int() - other.int()).abs().max().item()
        cases.append({"name": name, "magnitude": magnitude, "result": packed(result), "pillow_apart": apart})
    return cases


def floats():
    x = image.float() / 255
    cases = [("brightness", 1.4, F.adjust_brightness), ("brightness", 0.6, F.adjust_brightness),
             ("contrast", 1.4, F.adjust_contrast), ("contrast", 0.3, F.adjust_contrast),
             ("saturation", 1.8, F.adjust_saturation), ("saturation", 0.2, F.adjust_saturation),
             ("hue", 0.1, F.adjust_hue), ("hue", -0.45, F.adjust_hue), ("hue", 0.5, F.adjust_hue)]
    return [{"name": name, "factor": factor, "result": packed(of(x, factor))} for name, factor, of in cases]


def crops():
    x = image.float() / 255
    areas = [(0, 0, 24, 24), (3, 5, 7, 9), (10, 2, 1, 13), (23, 23, 1, 1), (0, 4, 12, 12)]
    return [{"area": area, "result": packed(F.resized_crop(x, *area, size=[SIZE, SIZE], antialias=True))}
            for area in areas]


def space():
    ranges = RandAugment()._augmentation_space(31, (224, 224))
    of = lambda values, m: (values[m] if values.ndim else values).item()
    return [{"magnitude": m, "values": {name: [of(values, m), signed] for name, (values, signed) in ranges.items()}}
            for m in (0, 9, 17, 30)]


numbers = {"image": packed(image), "operations": operations(), "floats": floats(), "crops": crops(),
           "space": space()}
(HERE / "augment.json").write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in numbers.items()) + "\n}\n")
for case in numbers["operations"]:
    print(case["name"], case["magnitude"], "Pillow:", case["pillow_apart"])
