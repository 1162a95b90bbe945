"""Moves state dicts of all networks between Vivarium and PyTorch, both ways, with `strict=True`, and compares scores.

    cargo build --release -p vivarium-models --example state_dict
    python3 exchange.py ../../../target/release/examples/state_dict
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from networks import NETWORKS

OPTIONS = {
    "vgg16-compact": ("vgg16", "head=compact"),
    "residual-small-relu": ("residual-small",),
    "residual-small-silu": ("residual-small", "activation=silu"),
    "residual-small-shallow": ("residual-small", "depth=[1]"),
}


def scores_here(program, way, name, file):
    kind, *options = OPTIONS.get(name, (name,))
    run = subprocess.run([program, way, kind, file, *options], check=True, capture_output=True, text=True)
    return torch.tensor(json.loads(run.stdout))


def main(program):
    x = ((torch.arange(2 * 3 * 32 * 32) * 37 % 256) - 128).float().reshape(2, 3, 32, 32) / 64
    for name, (make, _) in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            file = str(pathlib.Path(folder) / "weights.safetensors")
            net = make()
            ours = scores_here(program, "save", name, file)
            net.load_state_dict(load_file(file), strict=True)
            there = (net.eval()(x) - ours).abs().max() / ours.abs().max()

            torch.manual_seed(1)
            net = make()
            net.train()(x)
            save_file(net.state_dict(), file)
            theirs = net.eval()(x)
            back = (scores_here(program, "load", name, file) - theirs).abs().max() / theirs.abs().max()
            print(f"{name:24} to PyTorch {there:.1e}, from PyTorch {back:.1e}", flush=True)
            assert there < 1e-4 and back < 1e-4, name


main(sys.argv[1])
