"""Makes the numbers of class weights, mixed targets and averaged weights with PyTorch (2.15.0, CPU, one thread), and those
of the learning-rate finder's suggestion with fastai (2.8.12): recipe.json.

    python3 recipe.py [FOLDER_OF_FASTAI]

`loss`: scores, two classes of each row, class weights, and for each case the loss and its gradient. `views`: the mean of
the probabilities of two views as scores. `ema`: 30 steps of a batch-normalised network whose weights `AveragedModel`
averages, its buffers too, with the decay's warm-up: parameters and statistics at the end. `valley`: curves of losses,
and the places that fastai's `valley` chooses. The folder is that of `pip install --no-deps --target FOLDER fastai`; of
its file only that function is read, so that fastai's dependencies are not needed. Without it the curves stay as they are.
"""

import ast
import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)


def loss():
    torch.manual_seed(5)
    scores = torch.randn(7, 5) * 3
    first = torch.randint(0, 5, (7,))
    second = torch.randint(0, 5, (7,))
    second[0] = first[0]
    weights = torch.tensor([0.2, 1.0, 4.5, 0.0, 2.0])
    cases = []
    for weighted in (False, True):
        for smoothing in (0.0, 0.1, 0.6):
            for share in (None, 1.0, 0.7, 0.25):
                x = scores.double().requires_grad_()
                weight = weights.double() if weighted else None
                if share is None:
                    target = first
                else:
                    hot = nn.functional.one_hot
                    target = share * hot(first, 5).double() + (1 - share) * hot(second, 5).double()
                value = nn.CrossEntropyLoss(weight=weight, label_smoothing=smoothing)(x, target)
                value.backward()
                cases.append({"weighted": weighted, "smoothing": smoothing, "share": share, "loss": value.item(),
                              "gradient": x.grad.flatten().tolist()})
    return {"scores": scores.flatten().tolist(), "first": first.tolist(), "second": second.tolist(),
            "weights": weights.double().tolist(), "cases": cases}


def views():
    torch.manual_seed(6)
    first, second = torch.randn(4, 3) * 4, torch.randn(4, 3) * 4
    mean = (first.double().softmax(1) + second.double().softmax(1)) / 2
    return {"first": first.flatten().tolist(), "second": second.flatten().tolist(), "probabilities": mean.flatten().tolist()}


def ema():
    torch.manual_seed(7)
    net = nn.Sequential()
    net.net = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    start = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    step = 0

    def warm(averages, currents, _):
        decay = min(0.9, (1 + step) / (10 + step))
        for average, current in zip(averages, currents):
            if average.is_floating_point():
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(current)

    # An average that begins with the initial weights, as if they had been taken in once.
    averaged = AveragedModel(net, multi_avg_fn=warm, use_buffers=True)
    averaged.n_averaged += 1
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x, y = torch.randn(12, 6), torch.randint(0, 3, (12,))
    losses = []
    for step in range(1, 31):
        optimizer.zero_grad()
        value = nn.CrossEntropyLoss()(net(x), y)
        value.backward()
        optimizer.step()
        averaged.update_parameters(net)
        losses.append(value.item())
    flat = lambda state: {name: tensor.flatten().tolist() for name, tensor in state.items()}
    end = {name.removeprefix("module."): tensor for name, tensor in averaged.state_dict().items() if name != "n_averaged"}
    return {"x": x.flatten().tolist(), "y": y.tolist(), "start": flat(start), "losses": losses, "end": flat(end)}


def valley(folder):
    source = (pathlib.Path(folder) / "fastai" / "callback" / "schedule.py").read_text()
    function = next(node for node in ast.parse(source).body if getattr(node, "name", "") == "valley")
    scope = {}
    exec(compile(ast.Module([function], []), "schedule.py", "exec"), scope)
    random = np.random.default_rng(8)
    cases = []
    for noise in (0.0, 0.01, 0.05, 0.2):
        for middle in (30, 50, 65):
            at = np.arange(85)
            losses = 2.3 - 1.4 / (1 + np.exp(-(at - middle) / 4)) + np.exp((at - middle - 25) / 3)
            losses = (losses + noise * random.standard_normal(85)).tolist()
            index = int(scope["valley"](list(range(85)), losses, 100)[0])
            cases.append({"losses": losses, "index": index})
    return cases


target = HERE / "recipe.json"
known = json.loads(target.read_text()) if target.exists() else {}
numbers = {"loss": loss(), "views": views(), "ema": ema(),
           "valley": valley(sys.argv[1]) if len(sys.argv) > 1 else known.get("valley", [])}
target.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in numbers.items()) + "\n}\n")
