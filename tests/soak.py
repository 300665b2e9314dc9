"""Serves the page and uses it as many people would: memory, load, tabs, a script that wants everything, an end.

    python tests/soak.py --pictures 2000 --write results/soak.json

It speaks to the server as the page does (uploads, events, streams), without a browser. What it finds it prints, and
writes with the machine, its load and the commit; a smaller run says so by its own numbers.
"""

import argparse
import http.client
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from habn.results.provenance import describe_commit, describe_hardware

ROOT = Path(__file__).parent.parent
SCHEMA = "soak/1"
SECONDS_TO_START = 300
CALLS_OF_A_SCRIPT = 200


class Visitor:
    """One open page, as its server sees it."""

    def __init__(self, port: int, page: "Page"):
        self.port, self.page, self.session = port, page, uuid.uuid4().hex[:12]

    def ask(self, method: str, path: str, body: bytes | str | None = None, kind: str = "application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, path, body, {"Content-Type": kind} if body else {})
        answer = connection.getresponse()
        return answer, connection

    def read(self, method: str, path: str, body: bytes | str | None = None, kind: str = "application/json"):
        answer, connection = self.ask(method, path, body, kind)
        text = answer.read()
        connection.close()
        return answer.status, text

    def upload(self, data: bytes) -> str:
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="p.jpg"\r\n\r\n'.encode()
        body = head + data + f"\r\n--{edge}--\r\n".encode()
        status, text = self.read("POST", "/gradio_api/upload", body, f"multipart/form-data; boundary={edge}")
        if status != 200:
            raise RuntimeError(f"upload: {status}")
        return json.loads(text)[0]

    def trigger(self, event: dict, values: list) -> dict:
        """The answer to an event of the page; raises where it is refused or fails."""
        body = {"data": values, "fn_index": event["id"], "session_hash": self.session}
        status, text = self.read("POST", "/gradio_api/queue/join", json.dumps(body))
        if status != 200:
            raise RuntimeError(f"join: {status} {text[:100]!r}")
        answer, connection = self.ask("GET", f"/gradio_api/queue/data?session_hash={self.session}")
        try:
            for line in answer:
                if line.startswith(b"data:"):
                    message = json.loads(line[5:])
                    if message["msg"] == "process_completed":
                        if not message["success"]:
                            raise RuntimeError(str(message["output"].get("error")))
                        return message["output"]
        finally:
            connection.close()
        raise RuntimeError("the stream ended")

    def show(self, photo: bytes, pair: str | None = None) -> float:
        """Give a photo, and wait for the answer; the seconds that it took."""
        started = time.perf_counter()
        values = self.page.values(photo={"path": self.upload(photo), "meta": {"_type": "gradio.FileData"}}, pair=pair)
        self.trigger(self.page.change, values)
        return time.perf_counter() - started


class Page:
    """Where the page's configuration has what a visit needs."""

    def __init__(self, config: dict):
        self.parts = {part["id"]: part for part in config["components"]}
        self.change = next(event for event in config["dependencies"] if self._is_of_the_photo(event))

    def _is_of_the_photo(self, event: dict) -> bool:
        return any(name == "input" and self.parts[part]["type"] == "image" for part, name in event["targets"])

    def values(self, photo: dict, pair: str | None) -> list:
        values = []
        for part in (self.parts[key] for key in self.change["inputs"]):
            value = part["props"].get("value")
            choices = [choice[1] for choice in part["props"].get("choices") or []]
            values.append(photo if part["type"] == "image" else pair if pair in choices else value)
        return values


class Running:
    """The server in a process of its own."""

    def __init__(self, port: int, folder: str):
        self.port = port
        started = time.perf_counter()
        environment = os.environ | {"PORT": str(port), "GRADIO_TEMP_DIR": folder, "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        self.first_byte = self._wait(started, lambda health: True)
        self.first_answer = self._wait(started, lambda health: bool(health["checkpoints"]))

    def health(self) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/healthz")
        return json.loads(connection.getresponse().read())

    def _wait(self, started: float, is_there) -> float:
        while time.perf_counter() - started < SECONDS_TO_START and self.process.poll() is None:
            try:
                if is_there(self.health()):
                    return round(time.perf_counter() - started, 1)
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def stop(self) -> float:
        started = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        return round(time.perf_counter() - started, 1)


def draw_photo(random_numbers: np.random.Generator) -> bytes:
    """A JPEG of soft patches, of any size that a phone sends reduced."""
    width, height = (int(side) for side in random_numbers.integers(120, 1400, 2))
    patches = random_numbers.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


def percentile(seconds: list[float], share: float) -> float:
    return round(sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))], 2)


def measure_memory(server: Running, page: Page, pictures: int) -> dict:
    """Megabytes of the process while one visitor shows different pictures, every tenth with another pair."""
    random_numbers, visitor = np.random.default_rng(0), Visitor(server.port, page)
    course, seconds, refused = [[0, server.health()["memory_mb"]]], [], 0
    for number in range(1, pictures + 1):
        try:
            pair = random.Random(number).choice(["camvid", "camvid-plus", "streets-plus"])
            seconds.append(visitor.show(draw_photo(random_numbers), pair))
        except RuntimeError:
            refused += 1
        if number % max(1, pictures // 40) == 0:
            course.append([number, server.health()["memory_mb"]])
    return {
        "pictures": pictures,
        "refused": refused,
        "memory_mb": course,
        "p50_seconds": percentile(seconds, 0.5),
        "p95_seconds": percentile(seconds, 0.95),
    }


def measure_load(server: Running, page: Page, visitors: int, pictures: int) -> dict:
    """Seconds for which visitors wait, all of whom show one picture after the other."""
    seconds: list[float] = []
    refused: list[str] = []

    def visit(number: int) -> None:
        visitor, random_numbers = Visitor(server.port, page), np.random.default_rng(1000 + number)
        for _ in range(pictures):
            try:
                seconds.append(visitor.show(draw_photo(random_numbers)))
            except (RuntimeError, OSError) as error:
                refused.append(str(error))

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(visitors)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "visitors": visitors,
        "pictures": pictures,
        "refused": len(refused),
        "reasons": sorted(set(refused))[:5],
        "seconds": round(time.perf_counter() - started, 1),
        "p50_seconds": percentile(seconds, 0.5),
        "p95_seconds": percentile(seconds, 0.95),
    }


def measure_fairness(server: Running, page: Page) -> dict:
    """Seconds for which a visitor waits, alone and beside a script that posts calls and listens to none, or to all."""
    visitor, random_numbers = Visitor(server.port, page), np.random.default_rng(7)
    alone = min(visitor.show(draw_photo(random_numbers)) for _ in range(3))
    posts = {"data": [None, "camvid", "starry_night", 1, "none", 0.5, False]}
    upload = visitor.upload(draw_photo(random_numbers))
    posts["data"][0] = {"path": upload, "meta": {"_type": "gradio.FileData"}}
    statuses = [
        visitor.read("POST", "/gradio_api/call/compare", json.dumps(posts))[0] for _ in range(CALLS_OF_A_SCRIPT)
    ]
    beside = visitor.show(draw_photo(random_numbers))
    return {
        "calls": CALLS_OF_A_SCRIPT,
        "accepted": statuses.count(200),
        "alone_seconds": round(alone, 2),
        "beside_seconds": round(beside, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--port", type=int, default=7899)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    with TemporaryDirectory() as folder:
        server = Running(arguments.port, folder)
        try:
            visitor = Visitor(arguments.port, Page.__new__(Page))
            page = Page(json.loads(visitor.read("GET", "/config")[1]))
            found = {
                "schema": SCHEMA,
                "start": {"first_byte_seconds": server.first_byte, "networks_seconds": server.first_answer},
                "fairness": measure_fairness(server, page),
                "load": measure_load(server, page, arguments.visitors, arguments.each),
                "memory": measure_memory(server, page, arguments.pictures),
            }
        finally:
            stopped = server.stop()
        left = [str(path) for path in Path(folder).rglob("*")]
    found["end"] = {"seconds": stopped, "files_left": len(left)}
    found |= {"machine": describe_hardware(), "load_at_start": round(load, 1), "commit": describe_commit()}
    text = json.dumps(found, indent=2)
    print(text)
    if arguments.write:
        arguments.write.write_text(text + "\n")


if __name__ == "__main__":
    main()
