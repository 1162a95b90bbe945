"""Runs the random graphs of tests/models/random_graphs.rs in PyTorch, from their generated source.

    VIVARIUM_RANDOM_GRAPHS=/tmp/graphs cargo test --release -p vivarium-models --test models random_graphs
    python3 models/tests/golden/random_graphs.py /tmp/graphs

Needs torch and safetensors.
"""
import pathlib
import runpy
import sys

import torch
from safetensors.torch import load_file

worst = 0.0
folders = sorted(pathlib.Path(sys.argv[1]).iterdir(), key=lambda folder: int(folder.name))
for folder in folders:
    module = runpy.run_path(folder / "model.py")["Random"]().double()
    values = load_file(folder / "values.safetensors")
    x, expected = values.pop("<input>"), values.pop("<scores>")
    module.load_state_dict(values, strict=True)
    scores = module.eval()(x).detach()
    error = ((scores - expected).abs().max() / expected.abs().max()).item()
    if not error <= 1e-4:
        sys.exit(f"{folder}: {error}\n{(folder / 'model.py').read_text()}")
    worst = max(worst, error)
print(f"{len(folders)} graphs, worst error {worst:.1e}")
