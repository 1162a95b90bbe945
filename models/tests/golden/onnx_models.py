"""Exports torchvision's networks as ONNX files, for tests/models/onnx_import.rs, which runs it.

    python3 onnx_models.py make FOLDER [NAME ...]
    python3 onnx_models.py check FOLDER

`make` writes a folder for each network and exporter, FOLDER/NAME-EXPORTER, with model.onnx and values.safetensors: a batch
of 8 images `x`, random `targets`, the scores of onnxruntime, and, where the exporter leaves the normalisations, the losses
of PyTorch's network before and after one step of SGD. These are in double precision: in single precision PyTorch's own loss
after a step moves by 2e-3 if the weights are moved by 2e-7, because a maximum or a ReLU here and there falls the other way. The weights are random and the running statistics moved, so that
every one of them shows.

`check` compares what the test has put there: `scores`, the `loss` of a step, and in double precision the `losses` of two,
with those of onnxruntime, of the network that was exported, and of the imported network's PyTorch source (model.py).

Needs torch, torchvision, onnx, onnxruntime, onnxscript and safetensors.
"""

import pathlib
import runpy
import sys
import warnings

import onnxruntime
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

warnings.filterwarnings("ignore")

CLASSES, BATCH, RATE, LIMIT = 12, 8, 0.01, 1e-4
# The name, its settings, and the side of the images. VGG16 takes images whose maps divide its 7x7 pool, so fewer of them,
# and its layers of 4096 values are of 64 here.
NETWORKS = {
    "resnet18": ({}, 64),
    "vgg16_bn": ({}, 224),
    "mobilenet_v2": ({}, 64),
    "mobilenet_v3_small": ({}, 64),
    "squeezenet1_1": ({}, 64),
    "googlenet": ({"aux_logits": False, "init_weights": False}, 64),
    "googlenet-transform": ({"aux_logits": False, "init_weights": False, "transform_input": True}, 64),
    "densenet121": ({}, 64),
    "efficientnet_b0": ({}, 64),
}
# Without normalisations left, with them, and the exporter that PyTorch now has.
EXPORTERS = ("old", "old-norms", "new")


def network(name):
    settings, side = NETWORKS[name]
    torch.manual_seed(3)
    net = getattr(torchvision.models, name.split("-")[0])(weights=None, num_classes=CLASSES, **settings)
    if name == "vgg16_bn":
        net.classifier[0], net.classifier[3] = nn.Linear(512 * 49, 64), nn.Linear(64, 64)
        net.classifier[6] = nn.Linear(64, CLASSES)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, torchvision.ops.StochasticDepth):
            module.p = 0.0
        # Weights small enough that the scores of deep networks are neither all equal nor infinite.
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, 0, 0.2)
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)
    # As after some training: statistics of its own images, then moved.
    x = torch.randn(2 if side > 64 else BATCH, 3, side, side)
    with torch.no_grad():
        for _ in range(3 if side > 64 else 20):
            net.train()(x)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean += 0.05 * module.running_var.sqrt() * torch.randn_like(module.running_mean)
                module.running_var *= torch.empty_like(module.running_var).uniform_(0.8, 1.25)
    return net.eval(), x


def losses(net, x, targets):
    """The losses before and after one step, in double precision."""
    net, x = net.double().train(), x.double()
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
    found = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), targets)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return torch.tensor(found, dtype=torch.float64)


def export(net, x, exporter, file):
    if exporter == "new":
        torch.onnx.export(net, (x[:1],), file, dynamo=True, external_data=False, verbose=False)
    elif exporter == "old":
        axes = {"input": {0: "batch"}}
        torch.onnx.export(net, (x,), file, dynamo=False, input_names=["input"], dynamic_axes=axes)
    else:
        training = torch.onnx.TrainingMode.PRESERVE
        torch.onnx.export(net, (x,), file, dynamo=False, training=training, do_constant_folding=False)


def scores_of(file, x):
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    name, size = session.get_inputs()[0].name, session.get_inputs()[0].shape[0]
    step = size if isinstance(size, int) else len(x)
    parts = [session.run(None, {name: x[i : i + step].numpy()})[0] for i in range(0, len(x), step)]
    return torch.cat([torch.from_numpy(part) for part in parts])


def make(folder, names):
    for name in names or NETWORKS:
        net, x = network(name)
        targets = torch.arange(len(x)) * 5 % CLASSES
        for exporter in EXPORTERS:
            here = folder / f"{name}-{exporter}"
            here.mkdir(parents=True, exist_ok=True)
            export(net, x, exporter, str(here / "model.onnx"))
            values = {"x": x, "targets": targets, "scores": scores_of(str(here / "model.onnx"), x)}
            save_file(values, here / "values.safetensors")
        theirs = losses(net, x, targets)
        for exporter in EXPORTERS:
            # Where the input is scaled, the imported network learns the scales.
            if exporter == "old-norms" and "transform" not in name:
                save_file({"losses": theirs}, folder / f"{name}-{exporter}" / "exported.safetensors")


def distance(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def check(folder):
    worst = {"scores": 0.0, "source": 0.0, "loss": 0.0, "losses": 0.0, "exported": 0.0}
    for here in sorted(path.parent for path in folder.glob("*/ours.safetensors")):
        ours, values = load_file(here / "ours.safetensors"), load_file(here / "values.safetensors")
        module = runpy.run_path(here / "model.py")["Network"]()
        module.load_state_dict(load_file(here / "weights.safetensors"), strict=True)
        errors = {
            "scores": distance(ours["scores"], values["scores"]),
            "source": distance(module.eval()(values["x"]).detach(), values["scores"]),
        }
        theirs = losses(module, values["x"], values["targets"])
        errors |= {"loss": distance(ours["loss"], theirs[:1]), "losses": distance(ours["losses"], theirs)}
        if (here / "exported.safetensors").exists():
            errors["exported"] = distance(ours["losses"], load_file(here / "exported.safetensors")["losses"])
        print(here.name, " ".join(f"{what} {error:.1e}" for what, error in errors.items()), flush=True)
        for what, error in errors.items():
            worst[what] = max(worst[what], error)
            if not error <= LIMIT:
                print(f"{here}: {what} differ by {error}", flush=True)
    if not all(error <= LIMIT for error in worst.values()):
        sys.exit(1)
    print("worst:", " ".join(f"{what} {error:.1e}" for what, error in worst.items()))


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    if command == "make":
        make(pathlib.Path(folder), rest)
    else:
        check(pathlib.Path(folder))
