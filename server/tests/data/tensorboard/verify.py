"""Proves that TensorBoard (2.21.0) reads what Vivarium exports, and shows every value to the last bit.

    python3 verify.py http://127.0.0.1:7878

Every run of the server is exported, alone and with the others in a zip. The files are read with TensorBoard's
EventAccumulator, and then by a TensorBoard of its own, which is asked over HTTP. The values must be those of the API's
metrics, rounded to the four bytes that TensorBoard keeps.
"""

import io
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = {
    "train_loss": "loss/train",
    "train_accuracy": "accuracy/train",
    "lr": "learning_rate",
    "epoch_train_loss": "loss/train_epoch",
    "epoch_train_accuracy": "accuracy/train_epoch",
    "validation_loss": "loss/validation",
    "validation_accuracy": "accuracy/validation",
}
PORT = 16_006

# Seconds in which TensorBoard has read everything; millions of values take it minutes.
PATIENCE = 1200


def get(url):
    with urllib.request.urlopen(url) as response:
        return response.read()


def bits(value):
    """A number as TensorBoard keeps it; all that are none are one."""
    return "nan" if math.isnan(value) else numpy.float32(value).tobytes().hex()


def expected(server, run):
    """What the API tells, by tag: steps and values."""
    path = f"{server}/api/v1/runs/{run['id']}/metrics?points=1000000&series={','.join(TAGS)}"
    found = {}
    for name, series in json.loads(get(path))["series"].items():
        kinds = {gap["x"]: math.inf if gap["kind"] == "inf" else math.nan for gap in series["not_finite"]}
        values = [kinds.get(x, math.nan) if y is None else y for x, y in zip(series["x"], series["y"])]
        # The run knows its values under its own tags, where it was imported.
        tag = (run["source"] or {"series": TAGS})["series"].get(name)
        percent = tag and any(f"“{tag}” is in percent" in remark for remark in (run["source"] or {"remarks": []})["remarks"])
        if series["x"]:
            found[tag] = [(int(x), bits(y * 100 if percent else y), percent) for x, y in zip(series["x"], values)]
    return found


def same(ours, theirs):
    """Whether steps and values are the same; a share that was percent is so up to its last bit."""
    if len(ours) != len(theirs):
        return False
    exact = all(a[:2] == b for a, b in zip(ours, theirs))
    return exact or (ours[0][2] and all(a[0] == b[0] and math.isclose(*(numpy.frombuffer(bytes.fromhex(x), numpy.float32)[0] for x in (a[1], b[1])), rel_tol=1e-6) for a, b in zip(ours, theirs)))


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    scalars = {tag: [(e.step, bits(e.value)) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    return scalars, {tag for tag in events.Tags()["tensors"]}


def served(logs, wanted):
    """Asks a TensorBoard of its own for every curve."""
    arguments = ["--logdir", str(logs), "--port", str(PORT), "--samples_per_plugin", "scalars=10000000", "--load_fast", "false"]
    process = subprocess.Popen([sys.executable, "-m", "tensorboard.main", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{PORT}/data/plugin"
    try:
        deadline = time.monotonic() + PATIENCE
        count = 0
        for run, of in wanted.items():
            for tag, points in of.items():
                shown = None
                # It reads the files while it is asked.
                while shown is None or not same(points, shown):
                    assert time.monotonic() < deadline, f"TensorBoard shows {run} {tag} otherwise: {shown and shown[:3]}, not {points[:3]}"
                    try:
                        rows = json.loads(get(f"{base}/scalars/scalars?{urllib.parse.urlencode({'run': run, 'tag': tag})}"))
                        shown = [(step, bits(float(value))) for _, step, value in rows]
                    except OSError:
                        time.sleep(0.5)
                count += len(shown)
        texts = json.loads(get(f"{base}/text/tags"))
        assert all("settings/text_summary" in texts[run] for run in wanted), texts
        request = urllib.request.Request(f"{base}/hparams/session_groups", json.dumps({"allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"], "sliceSize": 1000, "colParams": [], "experimentName": ""}).encode(), {"content-type": "application/json"})
        groups = json.loads(urllib.request.urlopen(request).read())["sessionGroups"]
        assert len(groups) == len(wanted), f"{len(groups)} rows of hyperparameters for {len(wanted)} runs"
        return count
    finally:
        process.terminate()
        process.wait()


def main(server):
    runs = json.loads(get(f"{server}/api/v1/runs"))["runs"]
    runs = [run for run in runs if run["status"] == "finished"]
    assert runs, "there is no run that is through"
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for run in runs:
            alone = folder / "alone" / run["id"]
            alone.mkdir(parents=True)
            (alone / "events.out.tfevents.1").write_bytes(get(f"{server}/api/v1/runs/{run['id']}/tensorboard"))
            scalars, tensors = read(alone)
            for tag, points in expected(server, run).items():
                assert same(points, scalars[tag]), f"{run['name']} {tag}"
                count += len(points)
            assert "settings/text_summary" in tensors, tensors
        archive = zipfile.ZipFile(io.BytesIO(get(f"{server}/api/v1/tensorboard?{'&'.join('run=' + run['id'] for run in runs)}")))
        assert archive.testzip() is None
        archive.extractall(folder / "logs")
        names = {info.filename.split(".")[-1]: info.filename.rsplit("/", 1)[0] for info in archive.infolist()}
        wanted = {names[run["id"]]: expected(server, run) for run in runs}
        print(f"{len(runs)} runs: {count} values are the same in TensorBoard's files,")
        print(f"{served(folder / 'logs', wanted)} in what TensorBoard shows.")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
