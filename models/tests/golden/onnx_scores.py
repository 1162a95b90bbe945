"""Holds exported ONNX files against the scores beside them, for tests/models/onnx_export.rs, which runs it.

    python3 onnx_scores.py FOLDER

FOLDER has a folder for each network, with model.onnx and values.safetensors: an input `x` and its `scores`. The files are
checked by onnx and run by onnxruntime, with the batch as it is and with one sample. Needs torch, onnx, onnxruntime and
safetensors.
"""

import pathlib
import sys

import onnx
import onnxruntime
import torch
from safetensors.torch import load_file

worst = 0.0
folders = sorted(pathlib.Path(sys.argv[1]).iterdir())
for folder in folders:
    file = str(folder / "model.onnx")
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    entries = {entry.key for entry in model.metadata_props}
    assert {"mean", "std", "labels", "preprocessing"} <= entries, entries
    values = load_file(folder / "values.safetensors")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for x, expected in ((values["x"], values["scores"]), (values["x"][:1], values["scores"][:1])):
        scores = torch.from_numpy(session.run(["scores"], {"input": x.numpy()})[0])
        error = ((scores - expected).abs().max() / expected.abs().max()).item()
        if not error <= 1e-4:
            sys.exit(f"{folder}: {error}\n{onnx.printer.to_text(model)[:4000]}")
        worst = max(worst, error)
print(f"{len(folders)} files, worst error {worst:.1e}")
