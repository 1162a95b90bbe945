"""Classifies photos with onnxruntime: python predict_onnx.py PATH…

Reads model.onnx. Needs onnxruntime, Pillow and numpy.
"""

import sys

import onnxruntime
from classifier import HERE, main

if __name__ == "__main__":
    session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
    sys.exit(main(__doc__, lambda batch: session.run(["scores"], {"input": batch})[0]))
