#!/usr/bin/env python3
"""What is left when clients leave: sends requests that change something, closes each connection right after, on a
machine that is kept busy, and counts what is left half done. Prints a table, and exits with 1 when anything is left.

    server/tests/left_alone.py target/release/vivarium [--times 10] [--busy 4] [--only resume]

Needs Python and nothing else.
"""

import argparse
import io
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib

PATIENCE = 60
BOUNDARY = "left-alone"


class Server:
    def __init__(self, binary):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="left-alone-"))
        self.start()

    def start(self):
        command = [self.binary, "serve", "--port", "0", "--jobs", "1", "--data-dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.host = self.url.split("//")[1]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.process.terminate()
        self.process.wait()
        self.start()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        for lock in self.folder.glob("runs/*/lock"):
            pid = lock.read_text().strip()
            try:
                if str(lock.parent) in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(int(pid), signal.SIGKILL)
            except (OSError, ValueError):
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None, kind="application/json"):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v1" + path, data, {"content-type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def leave(self, method, path, body=None, kind="application/json", part=1.0, within=0.01, after=None):
        """Sends a request, or a part of it, and leaves: at once, within some seconds, or after something happened."""
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        head = f"{method} /api/v1{path} HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: {kind}\r\n"
        host, port = self.host.split(":")
        with socket.create_connection((host, int(port))) as stream:
            stream.sendall(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data[: int(len(data) * part)])
            # Some leave at once, some a moment later: in the midst of it.
            if after:
                until(after)
            else:
                time.sleep(random.choice([0, random.uniform(0, within), random.uniform(0, within)]))

    def runs(self):
        return self.ask("GET", "/runs")[1]["runs"]

    def settle(self):
        """Waits until the server does nothing any more that somebody asked for."""
        quiet = None
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE:
            state = sorted((run["id"], run["status"], run["name"]) for run in self.runs() if run["name"] != "blocker")
            files = sorted(str(path) for pattern in ("*", "*/*") for path in self.folder.glob(pattern))
            if (state, files) == quiet:
                return
            quiet = (state, files)
            time.sleep(1)

    def block(self):
        """A run that trains for ever: the others wait."""
        status, made = self.ask("POST", "/runs", spec(epochs=100_000, name="blocker"))
        assert status == 201, made
        until(lambda: self.ask("GET", f"/runs/{made['id']}")[1]["status"] == "running")

    def stuck(self):
        """Stops everything that waits; says how many runs do not hear it."""
        waiting = [run["id"] for run in self.runs() if run["status"] == "queued"]
        for run in waiting:
            self.ask("POST", f"/runs/{run}/stop", {})
        still = lambda: [run for run in self.runs() if run["status"] == "queued"]
        until(lambda: not still(), 20)
        return len(still())


def until(condition, patience=PATIENCE):
    begun = time.monotonic()
    while time.monotonic() - begun < patience:
        if condition():
            return True
        time.sleep(0.1)
    return False


def spec(epochs=1, name="left"):
    return {
        "name": name,
        "data": {"set": "moons"},
        "network": {"kind": "mlp", "hidden": [8]},
        "training": {"epochs": epochs, "batch_size": 64, "threads": 1},
    }


def stopped(server, count):
    """Runs that were stopped while they waited."""
    ids = [server.ask("POST", "/runs", spec())[1]["id"] for _ in range(count)]
    for run in ids:
        server.ask("POST", f"/runs/{run}/stop", {})
    until(lambda: all(run["status"] != "queued" for run in server.runs()))
    return ids


def png(shade):
    rows = b"".join(b"\0" + bytes([shade, y * 8, x * 8][i % 3] for x in range(16) for i in range(3)) for y in range(16))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def archive(images=12):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as files:
        for i in range(images):
            files.writestr(f"{'cats' if i % 2 else 'dogs'}/{i}.png", png(i % 256))
    return out.getvalue()


def form(name, data, field="file"):
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


FORM = f"multipart/form-data; boundary={BOUNDARY}"


def resume(server, times):
    server.block()
    tries = 25 * times
    for run in stopped(server, tries):
        server.leave("POST", f"/runs/{run}/resume")
    server.settle()
    return tries, {"queued for good": server.stuck()}


def create(server, times):
    server.block()
    tries = 98 * times
    for _ in range(tries):
        server.leave("POST", "/runs", spec())
    server.settle()
    return tries, {"queued for good": server.stuck()}


def sweeps(server, times):
    tries = 11 * times
    lost = stuck = partial = 0
    for _ in range(tries):
        server.close()
        server.__init__(server.binary)
        server.block()
        body = {"base": spec(), "grid": {"training.seed": list(range(200))}}
        server.leave("POST", "/sweeps", body, within=2)
        server.settle()
        mine = [run for run in server.runs() if run["sweep"]]
        for sweep in {run["sweep"] for run in mine}:
            lost += server.ask("GET", f"/sweeps/{sweep}")[0] != 200
        partial += len(mine) not in (0, 200)
        stuck += server.stuck()
    return tries, {"runs without their sweep": lost, "not whole": partial, "runs queued for good": stuck}


def delete(server, times):
    server.block()
    tries = 149 * times
    ids = stopped(server, tries)
    for run in ids:
        server.leave("DELETE", f"/runs/{run}")
    server.settle()
    listed = {run["id"] for run in server.runs()}
    announced = {path.stem for path in server.folder.glob("trash/*.json")}
    server.restart()
    server.settle()
    after = {run["id"] for run in server.runs()}
    return tries, {"listed though announced": len(listed & announced), "gone at the next start": len(listed - after)}


def restore(server, times):
    server.block()
    tries = 100 * times
    ids = stopped(server, tries)
    for run in ids:
        server.ask("PATCH", f"/runs/{run}", {"name": "mine", "tags": ["best"], "notes": "seen"})
        server.ask("DELETE", f"/runs/{run}")
    for run in ids:
        server.leave("POST", f"/runs/{run}/restore")
    server.settle()
    back = [run for run in server.runs() if run["id"] in ids]
    bare = [run for run in back if (run["name"], run["tags"], run["notes"]) != ("mine", ["best"], "seen")]
    trash = {run["id"] for run in server.ask("GET", "/trash")[1]["runs"]}
    nowhere = set(ids) - {run["id"] for run in back} - trash
    return tries, {"without labels": len(bare), "neither here nor there": len(nowhere)}


def accept(server, times):
    tries = 10 * times
    lies = 0
    for i in range(tries):
        status, draft = server.ask("POST", "/datasets", form("pets.zip", archive()), FORM)
        assert status == 201, draft
        path, body = f"/datasets/drafts/{draft['id']}", {"set": f"pets-{i}"}
        server.leave("POST", path, body)
        there = lambda: (server.folder / "datasets" / f"pets-{i}").is_dir()
        until(there, 2)
        lies += server.ask("POST", path, body)[0] not in (201, 404, 409)
        server.ask("DELETE", path)
    return tries, {"told a lie when asked again": lies}


def scratch(server):
    folders = [server.folder / name for name in ("datasets", "boards", "images", "reports", "runs", "sweeps", "trash")]
    return [path for folder in folders for path in folder.glob(".*")]


def uploads(server, times):
    tries = 40 * times
    big = archive(400)
    for i in range(tries):
        part = random.choice([1.0, random.random()])
        path, name = [("/datasets", "pets.zip"), ("/tensorboard", "logs.zip")][i % 2]
        # Who stays a moment after the last byte may have been answered: that upload is whole, and waits for a decision.
        server.leave("POST", path, form(name, big), FORM, part, within=0.1 if part < 1 else 0)
    until(lambda: not scratch(server), 15)
    left = len(scratch(server))
    # And when the server dies in the midst of it.
    for i in range(times * 4):
        path, name = [("/datasets", "pets.zip"), ("/tensorboard", "logs.zip")][i % 2]
        before = len(scratch(server))
        begun = lambda: len(scratch(server)) > before and (server.kill() or True)
        server.leave("POST", path, form(name, big), FORM, 0.5, after=begun)
        server.start()
    until(lambda: not scratch(server), 15)
    return tries + times * 4, {"scratch folders left": left, "after kills": len(scratch(server))}


REQUESTS = {
    "resume": ("POST /runs/{id}/resume", resume),
    "create": ("POST /runs", create),
    "sweeps": ("POST /sweeps (200 runs)", sweeps),
    "delete": ("DELETE /runs/{id}", delete),
    "restore": ("POST /runs/{id}/restore", restore),
    "accept": ("POST /datasets/drafts/{id}", accept),
    "uploads": ("broken uploads", uploads),
}


def burn():
    while True:
        sum(range(100_000))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--times", type=int, default=1, help="so many times as many tries")
    parser.add_argument("--busy", type=int, default=os.cpu_count(), help="processes that keep the machine busy")
    parser.add_argument("--only", choices=REQUESTS)
    arguments = parser.parse_args()
    burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(arguments.busy)]
    for burner in burners:
        burner.start()
    bad = 0
    print("| request | tries | what was left |\n|---|---|---|", flush=True)
    for name, (title, work) in REQUESTS.items():
        if arguments.only not in (None, name):
            continue
        server = Server(arguments.binary)
        try:
            tries, left = work(server, arguments.times)
        finally:
            server.close()
        bad += sum(left.values())
        told = ", ".join(f"{count} {what}" for what, count in left.items())
        print(f"| `{title}` | {tries} | {told} |", flush=True)
    for burner in burners:
        burner.terminate()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
