"""Writes frontend/tests/unit/preprocessing.json: inputs as the programs of a zip compute them. Needs Pillow and numpy.

For each case the pixels of a photo (RGBA), the preprocessing, and the input that templates/takeaway/classifier.py makes of it.
"""

import importlib.util
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "templates" / "takeaway" / "classifier.py"


def classifier(folder, preprocessing):
    """The program with this preprocessing beside it."""
    (folder / "classifier.py").write_text(SOURCE.read_text())
    (folder / "preprocessing.json").write_text(json.dumps(preprocessing))
    (folder / "labels.txt").write_text("a\n")
    spec = importlib.util.spec_from_file_location("classifier", folder / "classifier.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    random = np.random.default_rng(0)
    cases = []
    for (height, width), size, fit, channels, is_rounded in [
        ((9, 14), [4, 4], "crop", "RGB", False),
        ((14, 9), [6, 6], "pad", "RGB", True),
        ((9, 14), [5, 7], "stretch", "RGB", False),
        ((5, 4), [8, 8], "crop", "grey", True),
        ((23, 17), [3, 3], "pad", "grey", False),
        ((6, 6), [6, 6], "crop", "RGB", True),
        # Halves of two neighbours: ties.
        ((8, 8), [4, 4], "crop", "RGB", True),
        ((37, 41), [16, 16], "stretch", "RGB", True),
    ]:
        pixels = random.integers(0, 256, (height, width, 4), np.uint8)
        pixels[..., 3] = random.choice(np.array([0, 90, 255], np.uint8), (height, width))
        count = 3 if channels == "RGB" else 1
        preprocessing = {
            "size": size,
            "fit": fit,
            "round": is_rounded,
            "channels": channels,
            "mean": [0.4, 0.5, 0.45][:count],
            "std": [0.2, 0.25, 0.3][:count],
            "scores": "logits",
        }
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            Image.fromarray(pixels).save(folder / "photo.png")
            values = classifier(folder, preprocessing).preprocess(folder / "photo.png")
        cases.append({
            "width": width,
            "height": height,
            "pixels": pixels.reshape(-1).tolist(),
            "preprocessing": preprocessing,
            "input": [float(value) for value in values.reshape(-1)],
        })
    target = ROOT / "frontend" / "tests" / "unit" / "preprocessing.json"
    target.write_text(json.dumps(cases) + "\n")


main()
