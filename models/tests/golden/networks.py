"""Makes the golden numbers of the networks on images with PyTorch (2.15.0, CPU, one thread).

    python3 networks.py [NAME ...]

For each network a file networks/NAME.json with: `state`, the names, shapes and types of its state dict; the scores of a
batch while training and, after that one pass, while evaluating; the loss; of each parameter's gradient the norm, its
products with four vectors of ones with random signs, which every one of its numbers moves, and eight of its numbers; and
for each optimizer the losses of 20 steps from the start.

Weights, images and signs are not stored: both sides draw them from one hash of their name and place (`drawn`).
"""

import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent / "networks"
CLASSES, BATCH, STEPS, SIGNS, PLACES = 10, 4, 20, 4, 8
OPTIMIZERS = {
    "sgd": lambda p, rate: torch.optim.SGD(p, lr=2e-5 * rate, momentum=0.9, weight_decay=5e-4),
    "adamw": lambda p, rate: torch.optim.AdamW(p, lr=1e-6 * rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
}


def sequence(*modules):
    return nn.Sequential(*modules)


class Named(nn.Module):
    """Children under names, and what to do with them."""

    def __init__(self, forward, **children):
        super().__init__()
        self.run = forward
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x):
        return self.run(self, x)


def conv_norm(inputs, outputs, kernel, act, bias=False):
    return [
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias),
        nn.BatchNorm2d(outputs),
        act(),
    ]


def mlp_wide():
    widths, layers = [3 * 32 * 32, 8192, 8192, 8192, 2048, 256], [nn.Flatten()]
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    layers.append(nn.Linear(widths[-1], CLASSES))
    return Named(lambda m, x: m.net(x.flatten(1)), net=sequence(*layers[1:]))


def vgg16(head, norm=True):
    layers, inputs = [], 3
    for stage in [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]:
        for outputs in stage:
            conv, batch_norm, act = conv_norm(inputs, outputs, 3, nn.ReLU, bias=True)
            layers += [conv, batch_norm, act] if norm else [conv, act]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    if head == "compact":
        cells, classifier = 1, nn.Linear(512, CLASSES)
    else:
        cells, classifier = 7, sequence(
            nn.Linear(512 * 49, 4096), nn.ReLU(), nn.Identity(),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Identity(),
            nn.Linear(4096, CLASSES),
        )
    pool = nn.AdaptiveAvgPool2d(cells)
    forward = lambda m, x: m.classifier(pool(m.features(x)).flatten(1))
    return Named(forward, features=sequence(*layers), classifier=classifier)


def two_layers(inputs, hidden):
    return sequence(nn.Linear(inputs, hidden), nn.ReLU(), nn.Identity(), nn.Linear(hidden, CLASSES))


def separable(inputs, outputs, act):
    return Named(
        lambda m, x: act()(m.bn2(m.pointwise(act()(m.bn1(m.depthwise(x)))))),
        depthwise=nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        bn1=nn.BatchNorm2d(inputs),
        pointwise=nn.Conv2d(inputs, outputs, 1, bias=False),
        bn2=nn.BatchNorm2d(outputs),
    )


def project(inputs, outputs):
    if inputs == outputs:
        return nn.Identity()
    return Named(lambda m, x: m.bn(m.conv(x)), conv=nn.Conv2d(inputs, outputs, 1, bias=False), bn=nn.BatchNorm2d(outputs))


def residual(plan, depths, act, long_skips):
    pairs = list(zip(plan, plan[1:]))
    blocks = nn.ModuleList()
    for (inputs, outputs), depth in zip(pairs, depths):
        convs = [separable(outputs if i else inputs, outputs, act) for i in range(depth)]
        blocks.append(Named(lambda m, x: m.convs(x) + m.skip(x), convs=sequence(*convs), skip=project(inputs, outputs)))
    children = {"blocks": blocks}
    if long_skips:
        children["long"] = nn.ModuleList(project(a, b) for a, b in zip(plan[::2], plan[2::2]))

    def forward(m, x):
        x = m.stem(x)
        for i, block in enumerate(m.blocks):
            if i % 2 == 0:
                start = x
            x = block(x)
            if i % 2:
                if long_skips:
                    x = x + m.long[i // 2](start)
                x = nn.functional.max_pool2d(x, 2)
        return m.classifier(x.mean((2, 3)))

    stem = sequence(*conv_norm(3, plan[0], 3, nn.ReLU), nn.MaxPool2d(2))
    return Named(forward, stem=stem, **children, classifier=two_layers(plan[-1], 512))


def inception():
    def cna(inputs, outputs, kernel):
        return sequence(*conv_norm(inputs, outputs, kernel, nn.ReLU))

    def block(inputs, b1, r3, b3, r5, b5, bp):
        return Named(
            lambda m, x: torch.cat([m.branch1(x), m.branch3(x), m.branch5(x), m.branch_pool(x)], 1),
            branch1=cna(inputs, b1, 1),
            branch3=sequence(cna(inputs, r3, 1), cna(r3, b3, 3)),
            branch5=sequence(cna(inputs, r5, 1), cna(r5, b5, 5)),
            branch_pool=sequence(nn.MaxPool2d(3, 1, 1), cna(inputs, bp, 1)),
        )

    def forward(m, x):
        x = m.block2(m.block1(m.stem(x)))
        x = m.block3(nn.functional.max_pool2d(x, 2))
        x = m.block4(nn.functional.max_pool2d(x, 2))
        return m.classifier(x.mean((2, 3)))

    return Named(
        forward,
        stem=sequence(*conv_norm(3, 64, 3, nn.ReLU), nn.MaxPool2d(2)),
        block1=block(64, 64, 96, 128, 16, 32, 32),
        block2=block(256, 128, 128, 192, 32, 96, 64),
        block3=block(480, 192, 96, 208, 16, 48, 64),
        block4=block(512, 256, 160, 320, 32, 128, 128),
        classifier=two_layers(832, 1024),
    )


def residual_small(depth, act):
    return residual([64, 128, 128, 256, 512, 1024], [depth] * 5, act, False)


def residual_deep():
    return residual([64, 128, 128, 256, 256, 512, 512, 1024, 1024], [3, 3, 4, 4, 5, 5, 3, 3], nn.SiLU, True)


# For each network how to build it, and how far from zero the biases of normalisations lie, so that few of the numbers
# that come to a ReLU lie within rounding of its kink: what lies on the one side here and on the other there changes a
# gradient far more than any rounding. Both sides of it are met as often.
#
# Forty layers of ReLU have no such place: PyTorch's own gradients of `residual-small-relu` in single and in double
# precision differ by 0.01 to 0.05 in parts of the norm, by 1e-5 with SiLU, and by 3e-6 with a quarter of the layers. So
# the numbers of that network are those in double precision, and its steps, which are in single on the other side, are
# smaller: with a rate of 0.1 PyTorch's losses in both precisions part by 0.0017 after twenty.
NETWORKS = {
    "mlp-wide": (mlp_wide, 0.0),
    "vgg16": (lambda: vgg16("classic"), 2.0),
    "vgg16-compact": (lambda: vgg16("compact"), 2.0),
    "vgg16-plain": (lambda: vgg16("compact", norm=False), 0.0),
    "residual-small-relu": (lambda: residual_small(4, nn.ReLU), 0.0),
    "residual-small-silu": (lambda: residual_small(4, nn.SiLU), 0.0),
    "residual-small-shallow": (lambda: residual_small(1, nn.ReLU), 0.0),
    "residual-deep": (residual_deep, 0.0),
    "inception": (inception, 0.0),
}
# Where many pools choose among values, two of which may be equal within rounding, smaller images have fewer to choose.
SIDES = {"inception": 16}
IN_DOUBLE = ["residual-small-relu"]
RATES = {"residual-small-relu": 0.02}


def hashed(name, start, end):
    """32 bits for each place of what has this name: FNV-1a of the name, mixed with the place."""
    key = 0x811C9DC5
    for byte in name.encode():
        key = (key ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = np.arange(start, end, dtype=np.uint32) ^ np.uint32(key)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return h


def drawn(name, shape, middle, reach):
    """Numbers evenly spread over `middle` - `reach` to `middle` + `reach`."""
    out, part = np.empty(int(np.prod(shape)), np.float32), 1 << 22
    for start in range(0, len(out), part):
        end = min(start + part, len(out))
        out[start:end] = middle + reach * (hashed(name, start, end) * 2.0**-31 - 1.0)
    return torch.from_numpy(out).reshape(shape)


def start(net, shift):
    """What each tensor of a network is before training."""
    state = {}
    names = net.state_dict()
    for name, tensor in names.items():
        last, shape = name.rsplit(".", 1)[-1], list(tensor.shape)
        if last == "weight" and len(shape) > 1:
            state[name] = drawn(name, shape, 0.0, (6.0 / np.prod(shape[1:])) ** 0.5)
        elif last == "weight":
            state[name] = drawn(name, shape, 1.0, 0.1)
        elif last == "bias":
            state[name] = drawn(name, shape, 0.0, 0.1)
            if f"{name.removesuffix('bias')}running_mean" in names:
                state[name] += torch.from_numpy(shift * ones(name, len(tensor)))
        else:
            state[name] = tensor.clone()
    return state


def ones(name, count):
    """Ones with random signs."""
    return (1.0 - 2.0 * (hashed(f"{name}.sign", 0, count) >> np.uint32(31))).astype(np.float32)


def facts(name, gradient):
    """What is stored of a gradient."""
    flat = gradient.detach().flatten().double().numpy()
    places = [int(h) % len(flat) for h in hashed(name + ".place", 0, PLACES)]
    products = [float(flat @ ones(f"{name}.{i}", len(flat))) for i in range(SIGNS)]
    return {"norm": float(np.linalg.norm(flat)), "products": products, "at": [float(flat[p]) for p in places]}


def rounded(value):
    """Seven digits are all that single precision has."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


def case(name):
    make, shift = NETWORKS[name]
    numbers = torch.float64 if name in IN_DOUBLE else torch.float32
    net = make()
    first = start(net, shift)
    net.to(numbers).load_state_dict(first)
    side = SIDES.get(name, 32)
    x, y = drawn("images", [BATCH, 3, side, side], 0.0, 3.0**0.5).to(numbers), torch.arange(BATCH)
    loss_of = nn.CrossEntropyLoss()

    scores = net.train()(x)
    loss = loss_of(scores, y)
    loss.backward()
    golden = {
        "shift": shift,
        "side": side,
        "rate": RATES.get(name, 1.0),
        "state": [[n, list(t.shape), str(t.dtype).removeprefix("torch.")] for n, t in first.items()],
        "scores.train": scores.flatten().tolist(),
        "loss": loss.item(),
    }
    with torch.no_grad():
        golden["scores.evaluate"] = net.eval()(x).flatten().tolist()
    golden["gradients"] = {n: facts(n, p.grad) for n, p in net.named_parameters()}
    golden |= {f"{rule}.losses": losses(net, first, x, y, optimizer, golden["rate"]) for rule, optimizer in OPTIMIZERS.items()}
    lines = [f"{json.dumps(key)}: {json.dumps(rounded(value))}" for key, value in golden.items()]
    (HERE / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(name, golden["loss"], [golden[f"{rule}.losses"][-1] for rule in OPTIMIZERS], flush=True)


def losses(net, first, x, y, optimizer_of, rate):
    """The loss before each step."""
    net.load_state_dict(first)
    net.train()
    optimizer, losses = optimizer_of(net.parameters(), rate), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for name in sys.argv[1:] or NETWORKS:
        case(name)
