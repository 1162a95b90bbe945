"""Makes a data folder with a bit of everything, as this version of Vivarium writes it.

    python3 server/tests/data/make_data_folder.py target/release/vivarium server/tests/data/data-folder-0.1.tar.gz
"""

import io
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib

binary, out = sys.argv[1:3]
folder = tempfile.mkdtemp()
data = os.path.join(folder, "data")
# Numbers that every machine computes alike.
env = {**os.environ, "VIVARIUM_INSTRUCTIONS": "portable"}
server = subprocess.Popen([binary, "serve", "--port", "0", "--data-dir", data, "--jobs", "1"], stdout=subprocess.PIPE, text=True, env=env)
base = server.stdout.readline().split()[-1]


def call(method, path, body=None, kind="application/json"):
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/api/v1{path}", content, {"content-type": kind}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


def form(field, name, content):
    edge = b"edge"
    head = b'--%s\r\ncontent-disposition: form-data; name="%s"; filename="%s"\r\n\r\n' % (edge, field.encode(), name.encode())
    return head + content + b"\r\n--%s--\r\n" % edge, "multipart/form-data; boundary=edge"


def until(run, *statuses):
    while (state := call("GET", f"/runs/{run}"))["status"] not in statuses:
        time.sleep(0.05)
    return state


def create(spec):
    return call("POST", "/runs", spec)["id"]


DIGITS = {"set": "digits", "limit": 24, "size": 32, "channels": 1}
SHORT = {"epochs": 2, "batch_size": 8, "threads": 1, "seed": 3}
SOME = {
    "A perceptron": {"data": {"set": "digits", "limit": 24}, "network": {"kind": "perceptron"}, "training": SHORT},
    "An MLP on points": {"data": {"set": "moons"}, "network": {"kind": "mlp", "hidden": [4]}, "training": {**SHORT, "epochs": 5}},
    "VGG16, narrow": {"data": DIGITS, "network": {"kind": "vgg16", "head": "compact", "width": 0.0625}, "training": {**SHORT, "epochs": 1, "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0}}},
    "A residual network, narrow": {
        "data": DIGITS,
        "network": {"kind": "residual-small", "plan": [2, 2, 2, 2, 2, 2], "depth": [1, 1, 1, 1, 1], "hidden": 4},
        "training": {**SHORT, "schedule": {"kind": "one_cycle"}},
    },
    "Diverges": {"data": {"set": "digits"}, "network": {"kind": "mlp", "hidden": [16, 16]}, "training": {**SHORT, "epochs": 5, "optimizer": {"kind": "sgd", "lr": 100}}},
    "Stops early": {
        "data": {"set": "moons"},
        "network": {"kind": "mlp", "hidden": [2]},
        "training": {**SHORT, "epochs": 50, "optimizer": {"kind": "sgd", "lr": 0.00000001, "momentum": 0.0}, "early_stopping": {"metric": "validation_loss", "patience": 1}},
    },
}
for name, spec in SOME.items():
    run = create({"name": name, **spec})
    state = until(run, "finished", "failed")
    print(name, state["status"], state["reason"])

# The same run, whole and stopped on its way: dropout, normalisation, momentum and a short last batch.
TWIN = {
    "data": {"set": "moons", "samples": 60, "validation": 0.2},
    "network": {"kind": "mlp", "hidden": [6, 5], "norm": True, "dropout": 0.3},
    "training": {"epochs": 40, "batch_size": 9, "threads": 1, "seed": 7, "optimizer": {"kind": "adamw"}},
}
until(create({"name": "Whole", **TWIN}), "finished")
while True:
    stopped = create({"name": "Stopped", **TWIN})
    while call("GET", f"/runs/{stopped}")["summary"]["step"] in (None, 0):
        pass
    call("POST", f"/runs/{stopped}/stop", {})
    if until(stopped, "stopped", "finished")["status"] == "stopped":
        break
    call("DELETE", f"/runs/{stopped}")
    call("DELETE", f"/trash/{stopped}")

sweep = call("POST", "/sweeps", {
    "base": {"name": "Learning rates", "data": {"set": "moons"}, "network": {"kind": "mlp", "hidden": [2]}, "training": SHORT},
    "grid": {"training.optimizer.lr": [0.1, 0.001]},
    "repeats": 1,
})
for run in call("GET", f"/sweeps/{sweep['id']}")["runs"]:
    until(run["id"], "finished")


def png(shade):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + bytes((x * shade) % 256 for x in range(16)) for _ in range(16))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as pack:
    for i in range(8):
        pack.writestr(f"{'even' if i % 2 == 0 else 'odd'}/{i}.png", png(i + 1))
draft = call("POST", "/datasets", *form("file", "stripes.zip", packed.getvalue()))
call("POST", f"/datasets/drafts/{draft['id']}", {"set": "stripes", "title": "Stripes"})
labelled = create({"name": "On stripes", "data": {"set": "stripes", "size": 16}, "network": {"kind": "mlp", "hidden": [4]}, "training": SHORT})
until(labelled, "finished")
call("PATCH", f"/runs/{labelled}", {"name": "On stripes", "tags": ["kept"], "notes": "A note of **version 0.1**."})
call("POST", "/images", *form("image", "photo.png", png(9)))
deleted = create({"name": "Deleted", "data": {"set": "moons"}, "network": {"kind": "mlp", "hidden": [2]}, "training": SHORT})
until(deleted, "finished")
call("DELETE", f"/runs/{deleted}")
call("POST", "/reports", {"text": f"# What was seen\n\n```figure curve\nruns: sweep {sweep['id']}\nseries: train_loss\n```\n"})


def crc(data):
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    value = 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 255] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(event):
    length = struct.pack("<Q", len(event))
    return length + struct.pack("<I", crc(length)) + event + struct.pack("<I", crc(event))


def field(number, wire, body):
    return bytes([number << 3 | wire]) + body


def scalar(step, tag, value):
    inner = field(1, 2, bytes([len(tag)]) + tag.encode()) + field(2, 5, struct.pack("<f", value))
    summary = field(1, 2, bytes([len(inner)]) + inner)
    return field(1, 1, struct.pack("<d", 1700000000.0 + step)) + field(2, 0, bytes([step])) + field(5, 2, bytes([len(summary)]) + summary)


events = record(field(1, 1, struct.pack("<d", 1700000000.0)) + field(3, 2, b"\x0dbrain.Event:2"))
events += b"".join(record(scalar(step, tag, value)) for step in range(1, 6) for tag, value in (("loss/train", 1 / step), ("accuracy/val", 1 - 1 / step), ("grad_norm", float(step))))
print(call("POST", "/tensorboard", *form("file", "events.out.tfevents.1700000000.host", events)))

server.send_signal(signal.SIGTERM)
server.wait()
for name in ("server.lock", "reserve"):
    path = os.path.join(data, name)
    os.path.exists(path) and os.remove(path)


index = sqlite3.connect(os.path.join(data, "index.sqlite3"))
index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
index.execute("VACUUM")
index.close()


def plain(about):
    about.uid = about.gid = 0
    about.uname = about.gname = ""
    return about


with tarfile.open(out, "w:gz") as pack:
    pack.add(data, "data", filter=plain)
shutil.rmtree(folder)
print(os.path.getsize(out), "bytes")
