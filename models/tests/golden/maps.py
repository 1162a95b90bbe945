"""What PyTorch's forward hooks see in the networks on images (2.15.0, CPU, one thread).

    python3 maps.py [NAME ...]

For each network of `networks.py` a file maps/NAME.json: by the name of every module without children, the shape of what
it gives for one image while evaluating, after one pass of training over the batch has moved the running statistics; and
of its numbers what `networks.facts` keeps of a gradient. Under `attention` the same of Grad-CAM for class 3 and the last
convolution with more than one pixel, and of the greatest size over the colours of the score's gradient by the image.
"""

import json
import pathlib
import sys

import torch
from torch import nn

import networks

HERE = pathlib.Path(__file__).parent / "maps"
CLASS = 3


def case(name):
    make, shift = networks.NETWORKS[name]
    net = make()
    net.load_state_dict(networks.start(net, shift))
    side = networks.SIDES.get(name, 32)
    x = networks.drawn("images", [networks.BATCH, 3, side, side], 0.0, 3.0**0.5)
    seen = {}
    with torch.no_grad():
        net.train()(x)
        net.eval()
        for layer, module in net.named_modules():
            if next(module.children(), None) is None and not isinstance(module, nn.Identity):
                module.register_forward_hook(lambda _, __, y, layer=layer: seen.update({layer: y[0].clone()}))
        net(x[:1])
    attention = attention_of(net, x[:1], seen)
    told = {layer: {"shape": list(y.shape), **networks.facts(layer, y)} for layer, y in seen.items()} | attention
    lines = [f"{json.dumps(layer)}: {json.dumps(networks.rounded(of))}" for layer, of in told.items()]
    (HERE / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(name, len(told), flush=True)


def attention_of(net, x, seen):
    modules = net.named_modules()
    convolutions = [name for name, m in modules if isinstance(m, nn.Conv2d) and seen[name].shape[-1] > 1]
    if not convolutions:
        return {}
    layer, held = convolutions[-1], {}
    handle = net.get_submodule(layer).register_forward_hook(lambda _, __, y: held.update(maps=y))
    x = x.clone().requires_grad_()
    score = net(x)[0, CLASS]
    by_maps, by_image = torch.autograd.grad(score, [held["maps"], x])
    handle.remove()
    heat = (by_maps.mean((2, 3), keepdim=True) * held["maps"]).sum(1).relu()
    return {
        "attention": {
            "layer": layer,
            "heat": networks.facts("heat", heat),
            "gradient": networks.facts("gradient", by_image.abs().amax(1)),
        }
    }


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for name in sys.argv[1:] or networks.NETWORKS:
        case(name)
