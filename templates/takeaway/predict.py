"""Classifies photos with PyTorch: python predict.py PATH…

Reads model.safetensors into the network of model.py. Needs torch, Pillow and numpy.
"""

import json
import sys

import model
import numpy as np
import torch
from classifier import HERE, main

TYPES = {"F32": np.float32, "F64": np.float64, "F16": np.float16, "I64": np.int64}


def read_weights(path):
    """The tensors of a safetensors file: the length of its header, the header as JSON, and the values."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()
    tensors = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        begin, end = about["data_offsets"]
        kind = np.dtype(TYPES[about["dtype"]])
        values = np.fromfile(path, kind, (end - begin) // kind.itemsize, offset=start + begin)
        tensors[name] = torch.from_numpy(values.reshape(about["shape"]))
    return tensors


def load():
    """The network of model.py with the weights of model.safetensors, for evaluation."""
    classes = [value for value in vars(model).values() if isinstance(value, type) and value.__module__ == "model"]
    network = classes[0]()
    network.load_state_dict(read_weights(HERE / "model.safetensors"), strict=True)
    return network.eval()


if __name__ == "__main__":
    network = load()

    @torch.inference_mode()
    def scores_of(batch):
        return network(torch.from_numpy(batch)).numpy()

    sys.exit(main(__doc__, scores_of))
