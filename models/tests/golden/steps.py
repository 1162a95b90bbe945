"""Makes the numbers of label smoothing and of gradient clipping with PyTorch (2.15.0, CPU, one thread): steps.json.

    python3 steps.py

`smoothing`: scores, true classes, and for each share the loss and its gradient. `clipping`: gradients of several
parameters, and for each greatest norm the norm before and the gradients after. `run`: 20 steps of the multilayer
perceptron of mlp-relu.safetensors, from its start, with smoothing, clipping, a schedule and a moving target: losses and
rates.
"""

import json
import pathlib
import struct

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)


def smoothing():
    torch.manual_seed(3)
    scores = torch.randn(6, 5) * 3
    truth = torch.randint(0, 5, (6,))
    cases = []
    for share in (0.05, 0.1, 0.5, 0.9):
        x = scores.clone().requires_grad_()
        loss = nn.CrossEntropyLoss(label_smoothing=share)(x, truth)
        loss.backward()
        cases.append({"smoothing": share, "loss": loss.item(), "gradient": x.grad.flatten().tolist()})
    return {"scores": scores.flatten().tolist(), "truth": truth.tolist(), "cases": cases}


def clipping():
    torch.manual_seed(4)
    gradients = [torch.randn(7) * scale for scale in (3.0, 0.1, 1.0)]
    cases = []
    for most in (0.1, 1.0, 5.0, 100.0):
        parameters = [nn.Parameter(torch.zeros(7)) for _ in gradients]
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient.clone()
        norm = nn.utils.clip_grad_norm_(parameters, most)
        cases.append({"clip": most, "norm": norm.item(), "gradients": [p.grad.tolist() for p in parameters]})
    return {"gradients": [g.tolist() for g in gradients], "cases": cases}


def tensors(path):
    bytes_ = path.read_bytes()
    (length,) = struct.unpack("<Q", bytes_[:8])
    kinds = {"F32": torch.float32, "I64": torch.int64}
    found = {}
    for name, entry in json.loads(bytes_[8 : 8 + length]).items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        found[name] = torch.frombuffer(bytearray(bytes_[start:end]), dtype=kinds[entry["dtype"]]).reshape(entry["shape"])
    return found


def run():
    golden = tensors(HERE / "mlp-relu.safetensors")
    net = nn.Sequential(nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 7), nn.ReLU(), nn.Linear(7, 5))
    net.load_state_dict({k.removeprefix("start.net."): v for k, v in golden.items() if k.startswith("start.")})
    # The batch is scaled, so that gradients are clipped in some steps and not in others.
    x, y = golden["x"] * 2, golden["y"]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.2, total_steps=20, pct_start=0.3, div_factor=25, final_div_factor=1e4, cycle_momentum=False
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    losses, rates, norms = [], [], []
    for step in range(20):
        optimizer.zero_grad()
        loss = loss_of(net(x), (y + step // 10) % 5)
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(net.parameters(), 0.7).item())
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < 19:
            schedule.step()
        losses.append(loss.item())
    assert min(norms) < 0.7 < max(norms), norms
    return {"losses": losses, "rates": rates}


numbers = {"smoothing": smoothing(), "clipping": clipping(), "run": run()}
(HERE / "steps.json").write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in numbers.items()) + "\n}\n")
