"""Runs the random graphs of tests/models/random_graphs.rs in PyTorch, from their generated source: scores in evaluation, and
the gradients of a loss in training.

    VIVARIUM_RANDOM_GRAPHS=/tmp/graphs cargo test --release -p vivarium-models --test models random_graphs
    python3 models/tests/golden/random_graphs.py /tmp/graphs

Needs torch and safetensors. The test runs it on some of them.
"""
import pathlib
import runpy
import sys

import torch
from safetensors.torch import load_file

GRADIENT = "<gradient>"
worst = 0.0
folders = sorted(pathlib.Path(sys.argv[1]).iterdir(), key=lambda folder: int(folder.name))


def check(folder, what, got, expected, scale):
    global worst
    error = ((got.flatten() - expected.flatten()).abs().max() / scale).item()
    if not error <= 1e-4:
        sys.exit(f"{folder}, {what}: {error}\n{(folder / 'model.py').read_text()}")
    worst = max(worst, error)


for folder in folders:
    module = runpy.run_path(folder / "model.py")["Random"]().double()
    values = load_file(folder / "values.safetensors")
    x, expected = values.pop("<input>"), values.pop("<scores>")
    gradients = {name.removeprefix(GRADIENT): values.pop(name) for name in list(values) if name.startswith(GRADIENT)}
    module.load_state_dict(values, strict=True)
    check(folder, "scores", module.eval()(x).detach(), expected, expected.abs().max())
    # The batch is normalised by its own statistics, so that the moved ones do not matter.
    x.requires_grad_()
    scores = module.train()(x)
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1, 2])).backward()
    found = {"scores": scores.detach(), "input": x.grad} | {name: p.grad for name, p in module.named_parameters()}
    assert found.keys() == gradients.keys(), (folder, found.keys() ^ gradients.keys())
    # Where a normalisation makes a gradient 0, only rounding is left.
    largest = max(gradient.abs().max() for name, gradient in gradients.items() if name != "scores")
    for name, gradient in gradients.items():
        check(folder, name, found[name], gradient, gradient.abs().max().clamp(min=1e-6 * largest))
print(f"{len(folders)} graphs, worst error {worst:.1e}")
