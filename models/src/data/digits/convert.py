"""Makes digits.bin from the file that scikit-learn ships.

    python3 convert.py path/to/sklearn/datasets/data/digits.csv.gz

The file has a line for each of 1,797 images: 64 values from 0 to 16, row by row, then the digit. digits.bin has the
same numbers in the same order, one byte each, 65 bytes an image, nothing else.
"""

import gzip
import hashlib
import pathlib
import sys

with gzip.open(sys.argv[1], "rt") as lines:
    images = [[int(float(value)) for value in line.split(",")] for line in lines]

assert len(images) == 1797, len(images)
for image in images:
    assert len(image) == 65 and max(image[:64]) <= 16 and min(image) >= 0 and image[64] <= 9, image

content = bytes(value for image in images for value in image)
pathlib.Path(__file__).with_name("digits.bin").write_bytes(content)
print(len(content), "bytes, SHA-256", hashlib.sha256(content).hexdigest())
