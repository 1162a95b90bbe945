"""Makes what PyTorch (2.15.0, CPU, one thread) gives for infinities and NaN, forward and backward: not_numbers.json.

    python3 not_numbers.py

Each case has the operation, its settings, its arguments and the gradient of its result, then the result and the
gradients of the arguments, as flat lists beside their shapes. Images have their channels last. NaN and the infinities
are the strings "nan", "inf" and "-inf". `steps` are one step of an optimizer, `clipping` a clipping of gradients.
"""

import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
NAN, INF = math.nan, math.inf
torch.set_num_threads(1)


def plain(tensor):
    def name(value):
        if math.isnan(value):
            return "nan"
        return float(f"{value:.8g}") if math.isfinite(value) else "inf" if value > 0 else "-inf"

    return {"shape": list(tensor.shape), "values": [name(v) for v in tensor.detach().flatten().tolist()]}


def case(op, arguments, function, dy=None, **settings):
    leaves = [a.clone().requires_grad_() for a in arguments]
    result = function(*leaves)
    dy = torch.ones_like(result) if dy is None else dy
    result.backward(dy)
    return {
        "op": op,
        **settings,
        "arguments": [plain(a) for a in arguments],
        "dy": plain(dy),
        "result": plain(result),
        "gradients": [plain(a.grad) for a in leaves],
    }


def put(tensor, *values):
    """The tensor with values at places: (place, value)."""
    tensor = tensor.clone()
    for place, value in values:
        tensor[place] = value
    return tensor


def images(function):
    """A function of images with their channels first, for images with their channels last."""
    return lambda x, *more: function(x.permute(0, 3, 1, 2), *more).permute(0, 2, 3, 1)


def activations():
    x = torch.tensor([NAN, INF, -INF, 0.0, -0.0, 1.5, -1.5, 50.0, -50.0, 3e38, -3e38])
    functions = {"relu": F.relu, "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    more = {"relu6": F.relu6, "gelu": F.gelu, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid}
    more["hardtanh"] = lambda x: F.hardtanh(x, -0.5, 1.5)
    for name, function in (functions | more).items():
        if name in more:
            # With the values at which the slope changes.
            x = torch.cat([x[:11], torch.tensor([-3.0, 3.0, 6.0, -0.5, 2.5, 4.0])])
        yield case(name, [x], function)
        for bad in (NAN, INF, -INF):
            y = torch.tensor([2.0, -2.0, 0.5, 1.0])
            yield case(name, [y], function, dy=torch.tensor([bad, bad, 1.0, bad]))


def linear():
    torch.manual_seed(5)
    # More rows than inputs and fewer, which are computed differently.
    for n, inputs, outputs in ((5, 3, 4), (3, 7, 2), (1, 3, 1)):
        x, w, b, dy = (torch.randn(*s) for s in ((n, inputs), (outputs, inputs), (outputs,), (n, outputs)))
        for bad in (NAN, INF, -INF):
            yield case("linear", [put(x, ((0, 1), bad)), w, b], F.linear, dy)
            yield case("linear", [x, put(w, ((0, 1), bad)), b], F.linear, dy)
            yield case("linear", [x, w, put(b, (0, bad))], F.linear, dy)
            yield case("linear", [x, w, b], F.linear, put(dy, ((0, 0), bad)))
        # 0 times infinity is no number.
        yield case("linear", [put(x, ((0, 1), INF)), put(w, ((0, 1), 0.0)), b], F.linear, put(dy, ((0, 0), 0.0)))


def batch_norm():
    torch.manual_seed(6)
    x, w, b, dy = torch.randn(2, 3, 1, 4), torch.randn(4), torch.randn(4), torch.randn(2, 3, 1, 4)
    mean, variance = torch.randn(4), torch.rand(4) + 0.5
    functions = {None: lambda x: x, "relu": F.relu, "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    for name, function in functions.items():
        for kept in (False, True):
            def normalise(x, w, b):
                statistics = (mean, variance, w, b, False) if kept else (None, None, w, b, True)
                return function(F.batch_norm(x, *statistics, 0.1, 1e-5))

            settings = {"activation": name}
            if kept:
                settings |= {"mean": plain(mean), "variance": plain(variance)}
            place = (1, 2, 0, 1)
            for arguments, gradient in (
                ([put(x, (place, NAN)), w, b], dy),
                ([put(x, (place, INF)), w, b], dy),
                ([put(x, (place, -INF)), w, b], dy),
                ([x, put(w, (2, NAN)), b], dy),
                ([x, w, put(b, (2, NAN))], dy),
                ([x, w, put(b, (2, INF))], dy),
                ([x, w, b], put(dy, (place, NAN))),
                ([x, w, b], put(dy, (place, INF))),
            ):
                yield case("batch_norm", arguments, images(normalise), gradient, **settings)


def pools():
    torch.manual_seed(7)
    x = torch.randn(1, 5, 5, 2)
    bads = [put(x, ((0, 2, 2, 0), bad)) for bad in (NAN, INF, -INF)]
    bads.append(put(x, ((0, 1, 1, 0), NAN), ((0, 2, 2, 0), NAN), ((0, 0, 1, 0), INF)))
    bads.append(torch.full((1, 5, 5, 2), -INF))
    for kernel, stride, padding in ((2, 2, 0), (3, 1, 1), (3, 2, 1)):
        pool = images(lambda x: F.max_pool2d(x, kernel, stride, padding))
        settings = {"kernel": kernel, "stride": stride, "padding": padding}
        dy = torch.randn(pool(x).shape)
        for bad in bads:
            yield case("max_pool", [bad], pool, dy, **settings)
        for bad in (NAN, INF):
            yield case("max_pool", [x], pool, put(dy, ((0, 1, 1, 0), bad)), **settings)
    for cells in ((1, 1), (2, 3), (7, 1)):
        pool = images(lambda x: F.adaptive_avg_pool2d(x, cells))
        dy = torch.randn(pool(x).shape)
        for bad in bads:
            yield case("mean_pool", [bad], pool, dy, cells=list(cells))
        for bad in (NAN, INF):
            yield case("mean_pool", [x], pool, put(dy, ((0, 0, 0, 0), bad)), cells=list(cells))


def losses():
    rows = [[1.0, 2.0, -1.0]]
    for bad in (NAN, INF, -INF):
        rows += [[bad, 0.5, 1.0], [bad, bad, 1.0], [bad, bad, bad]]
    rows += [[INF, -INF, 1.0], [NAN, INF, 1.0], [200.0, 0.0, -200.0], [3e38, -3e38, 0.0]]
    for smoothing in (0.0, 0.1):
        for truth in range(3):
            def loss(x):
                return F.cross_entropy(x, torch.tensor([truth] + [1] * (len(x) - 1)), label_smoothing=smoothing)

            settings = {"smoothing": smoothing}
            for row in rows:
                x = torch.tensor([row])
                yield case("cross_entropy", [x], loss, truth=[truth], **settings)
                # What is wrong with one row is in the mean, and in the gradient of this row alone.
                x = torch.tensor([row, [0.5, 1.0, 0.0]])
                yield case("cross_entropy", [x], loss, truth=[truth, 1], **settings)


def parameters(gradient):
    parameter = nn.Parameter(torch.tensor([1.0, -2.0, 0.0, 0.5, 3.0]))
    parameter.grad = torch.tensor(gradient)
    return parameter


def steps():
    rules = [
        {"kind": "sgd", "lr": 0.1, "momentum": momentum, "weight_decay": decay, "nesterov": nesterov}
        for momentum, decay, nesterov in ((0.0, 0.0, False), (0.9, 0.01, False), (0.9, 0.01, True))
    ] + [{"kind": "adamw", "lr": 0.1, "weight_decay": 0.01}]
    for rule in rules:
        settings = dict(rule)
        kind = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[settings.pop("kind")]
        gradient = [NAN, INF, -INF, 3e38, 0.5]
        parameter = parameters(gradient)
        optimizer = kind([parameter], **settings)
        optimizer.step()
        first = plain(parameter)
        # What the optimizer keeps does not forget it.
        parameter.grad = torch.full((5,), 0.25)
        optimizer.step()
        yield {"rule": rule, "gradient": plain(torch.tensor(gradient)), "first": first, "second": plain(parameter)}


def clipping():
    for bad in (NAN, INF, -INF):
        grads = [[0.5, -0.25, 0.0, 1.0, 2.0], [0.0, 1.0, bad, 3.0, 0.0]]
        both = [parameters(g) for g in grads]
        norm = nn.utils.clip_grad_norm_(both, 1.0)
        yield {
            "gradients": [plain(torch.tensor(g)) for g in grads],
            "norm": plain(norm),
            "clipped": [plain(p.grad) for p in both],
        }


groups = (activations(), linear(), batch_norm(), pools(), losses())
cases = [json.dumps(c) for group in groups for c in group]
text = {"cases": cases, "steps": [json.dumps(s) for s in steps()], "clipping": [json.dumps(c) for c in clipping()]}
body = ",\n".join(f'"{name}": [\n' + ",\n".join(lines) + "\n]" for name, lines in text.items())
(HERE / "not_numbers.json").write_text("{\n" + body + "\n}\n")
