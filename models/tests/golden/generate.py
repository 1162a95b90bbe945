"""Makes the golden numbers of the multilayer perceptron with PyTorch (2.15.0, CPU, one thread).

    python3 generate.py

For each case a file CASE.safetensors with: the weights before training under `start.`, the batch `x` and its classes
`y`; the scores while training and, after that one pass, while evaluating; the loss and its gradients under `gradient.`;
and for each optimizer the losses of 20 steps from the start and the weights after them.
"""

import json
import pathlib
import struct

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
INPUTS, HIDDEN, CLASSES, BATCH, STEPS = 12, [10, 7], 5, 16, 20
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=5e-4),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True),
    "plain": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=5e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
}


class Mlp(nn.Module):
    def __init__(self, activation, norm):
        super().__init__()
        layers, width = [], INPUTS
        for hidden in HIDDEN:
            layers.append(nn.Linear(width, hidden))
            if norm:
                layers.append(nn.BatchNorm1d(hidden))
            layers.append(ACTIVATIONS[activation]())
            width = hidden
        layers.append(nn.Linear(width, CLASSES))
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        return self.net(x)


def save(path, tensors):
    """The safetensors format: the header's length, the header as JSON, the numbers."""
    header, body = {}, b""
    for name, tensor in tensors.items():
        data = tensor.detach().contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def case(activation, norm):
    torch.manual_seed(1)
    net = Mlp(activation, norm)
    start = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    x, y = torch.randn(BATCH, INPUTS), torch.randint(0, CLASSES, (BATCH,))
    tensors = {f"start.{name}": tensor for name, tensor in start.items()} | {"x": x, "y": y}
    loss_of = nn.CrossEntropyLoss()

    scores = net.train()(x)
    loss = loss_of(scores, y)
    loss.backward()
    tensors |= {"scores.train": scores, "loss": loss}
    tensors |= {f"gradient.{name}": parameter.grad for name, parameter in net.named_parameters()}
    tensors |= {"scores.evaluate": net.eval()(x)}

    for name, optimizer_of in OPTIMIZERS.items():
        net.load_state_dict(start)
        net.train()
        optimizer, losses = optimizer_of(net.parameters()), []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        tensors[f"{name}.losses"] = torch.stack(losses)
        tensors |= {f"{name}.end.{key}": tensor.clone() for key, tensor in net.state_dict().items()}
    save(HERE / f"mlp-{activation}{'-norm' if norm else ''}.safetensors", tensors)


torch.set_num_threads(1)
for activation in ACTIVATIONS:
    for norm in (False, True):
        case(activation, norm)
