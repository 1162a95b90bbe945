"""Makes the numbers of a partly frozen network with PyTorch (2.15.0, CPU, one thread): transfer.json.

    python3 transfer.py

A small network starts from weights and running statistics that are not the initial ones. Its stem is frozen: no gradients,
and batch normalisation in evaluation mode. The other layers but the last have a fraction of the learning rate. After some
steps the stem is trained, too, as by `add_param_group`. For each optimizer: the losses, and all tensors at the end.
"""

import json
import pathlib

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
STEPS, UNFREEZE_AFTER, BACKBONE = 10, 6, 0.3
OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.8, nesterov=True),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.02, weight_decay=0.1),
}


def layer(inputs, outputs):
    block = nn.Sequential()
    block.add_module("conv", nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
    block.add_module("norm", nn.BatchNorm2d(outputs))
    block.add_module("act", nn.ReLU())
    return block


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.body, self.head = layer(2, 4), layer(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.head(self.body(self.stem(x)).mean((2, 3)))


def start():
    torch.manual_seed(11)
    net = Net()
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.3, 2.0)
        elif not name.endswith("num_batches_tracked"):
            tensor.normal_(0.0, 0.5)
    return net.state_dict(), torch.randn(STEPS, 6, 2, 5, 5), torch.randint(0, 3, (STEPS, 6))


def listed(tensors):
    return {name: tensor.flatten().tolist() for name, tensor in tensors.items()}


def train(make, clip, weights, x, targets):
    net = Net()
    net.load_state_dict(weights)
    net.stem.requires_grad_(False)
    groups = [{"params": net.body.parameters()}, {"params": net.head.parameters()}]
    optimizer = make(groups)
    lr = optimizer.param_groups[1]["lr"]
    optimizer.param_groups[0]["lr"] = lr * BACKBONE
    losses = []
    for step in range(STEPS):
        net.train()
        if step < UNFREEZE_AFTER:
            net.stem.eval()
        elif step == UNFREEZE_AFTER:
            net.stem.requires_grad_(True)
            optimizer.add_param_group({"params": list(net.stem.parameters()), "lr": lr * BACKBONE})
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(net(x[step]), targets[step])
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_([p for p in net.parameters() if p.requires_grad], clip)
        optimizer.step()
        losses.append(loss.item())
        if step == UNFREEZE_AFTER - 1:
            frozen = {name: tensor.clone() for name, tensor in net.state_dict().items()}
            assert all(torch.equal(frozen[name], weights[name]) for name in weights if name.startswith("stem."))
    return {"losses": losses, "tensors": listed(net.state_dict())}


def main():
    torch.set_num_threads(1)
    weights, x, targets = start()
    weights = {name: tensor.clone() for name, tensor in weights.items()}
    runs = {
        f"{name} clip" if clip else name: train(make, clip, weights, x, targets)
        for name, make in OPTIMIZERS.items()
        for clip in (None, 0.5)
    }
    golden = {
        "steps": STEPS,
        "unfreeze_after": UNFREEZE_AFTER,
        "backbone_lr": BACKBONE,
        "start": listed(weights),
        "x": x.flatten().tolist(),
        "targets": targets.flatten().tolist(),
        "runs": runs,
    }
    (HERE / "transfer.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
