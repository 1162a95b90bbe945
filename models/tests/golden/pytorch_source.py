"""Runs the PyTorch source of networks with their weights: the state dict has exactly their names, in training and
evaluation, and the scores are those of tests/models/pytorch_source.rs.

Needs torch and safetensors.
"""
import copy
import pathlib
import runpy
import sys

import torch
from safetensors.torch import load_file

folders = sorted(pathlib.Path(sys.argv[1]).iterdir(), key=lambda folder: int(folder.name))
for folder in folders:
    defined = runpy.run_path(folder / "model.py")
    (network,) = [value for value in defined.values() if isinstance(value, type) and value.__module__ == "<run_path>"]
    module = network()
    weights, values = load_file(folder / "weights.safetensors"), load_file(folder / "values.safetensors")
    module.load_state_dict(weights, strict=True)
    module = copy.deepcopy(module).train().eval().double().float()
    assert module.state_dict().keys() == weights.keys(), folder
    error = (module(values["x"]) - values["scores"]).abs().max().item()
    if not error <= 1e-4:
        sys.exit(f"{folder}: {error}\n{(folder / 'model.py').read_text()}")
print(f"{len(folders)} networks")
