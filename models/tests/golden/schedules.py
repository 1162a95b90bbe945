"""Makes the learning rates that schedules must give with PyTorch (2.15.0): schedules.json.

    python3 schedules.py

Each case: the schedule as in a RunSpec, the base rate, steps per epoch, epochs, and the rate of every step as PyTorch's
schedulers set it, stepped once after every optimizer step.
"""

import json
import pathlib

import torch
from torch.optim import lr_scheduler as s

HERE = pathlib.Path(__file__).parent


def warm(optimizer, steps):
    return s.LinearLR(optimizer, start_factor=1 / (steps + 1), end_factor=1, total_iters=steps)


def scheduler_of(optimizer, schedule, per_epoch, total):
    kind = schedule["kind"]
    warmup = round(schedule.get("warmup_epochs", 0) * per_epoch)
    if kind == "cosine":
        main = s.CosineAnnealingLR(optimizer, T_max=total - warmup, eta_min=schedule["min_lr"])
        return s.SequentialLR(optimizer, [warm(optimizer, warmup), main], milestones=[warmup]) if warmup else main
    if kind == "one_cycle":
        return s.OneCycleLR(
            optimizer,
            max_lr=optimizer.param_groups[0]["lr"],
            total_steps=total,
            pct_start=schedule["pct_start"],
            div_factor=schedule["div_factor"],
            final_div_factor=schedule["final_div_factor"],
            cycle_momentum=False,
        )
    if kind == "step":
        main = s.StepLR(optimizer, schedule["every_epochs"] * per_epoch, schedule["gamma"])
    elif kind == "milestones":
        main = s.MultiStepLR(optimizer, [at * per_epoch for at in schedule["milestones"]], schedule["gamma"])
    else:
        main = s.ConstantLR(optimizer, factor=1)
    return s.ChainedScheduler([main, warm(optimizer, warmup)]) if warmup else main


def case(schedule, base, per_epoch, epochs):
    parameter = torch.nn.Parameter(torch.zeros(1))
    # AdamW takes the rate as it is; the rates are read in double precision from Python.
    optimizer = torch.optim.SGD([parameter], lr=base)
    total = per_epoch * epochs
    scheduler = scheduler_of(optimizer, schedule, per_epoch, total)
    rates = []
    for _ in range(total):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if len(rates) < total:
            scheduler.step()
    return {"schedule": schedule, "base": base, "steps_per_epoch": per_epoch, "epochs": epochs, "rates": rates}


cases = [
    case({"kind": "constant", "warmup_epochs": 0.0}, 0.1, 3, 2),
    case({"kind": "constant", "warmup_epochs": 1.5}, 0.1, 6, 3),
    case({"kind": "step", "every_epochs": 2, "gamma": 0.1, "warmup_epochs": 0.0}, 0.1, 5, 7),
    case({"kind": "step", "every_epochs": 1, "gamma": 0.5, "warmup_epochs": 1.5}, 0.05, 4, 4),
    case({"kind": "milestones", "milestones": [2, 3, 6], "gamma": 0.3, "warmup_epochs": 0.0}, 0.1, 5, 7),
    case({"kind": "milestones", "milestones": [1, 3], "gamma": 0.1, "warmup_epochs": 2.0}, 0.2, 4, 5),
    case({"kind": "cosine", "min_lr": 0.0, "warmup_epochs": 0.0}, 0.1, 7, 5),
    case({"kind": "cosine", "min_lr": 0.001, "warmup_epochs": 0.0}, 0.1, 7, 5),
    case({"kind": "cosine", "min_lr": 0.01, "warmup_epochs": 1.0}, 0.1, 7, 5),
    case({"kind": "cosine", "min_lr": 1e-5, "warmup_epochs": 0.5}, 1e-3, 8, 4),
    case({"kind": "one_cycle", "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4}, 0.1, 7, 5),
    case({"kind": "one_cycle", "pct_start": 0.1, "div_factor": 10.0, "final_div_factor": 100.0}, 0.4, 6, 6),
    case({"kind": "one_cycle", "pct_start": 0.9, "div_factor": 2.0, "final_div_factor": 1.0}, 0.01, 5, 3),
]
(HERE / "schedules.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
