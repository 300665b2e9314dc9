"""Damages small pictures of every format that the page accepts, and opens each as the page would.

    python tests/fuzz_pictures.py [COUNT] [FIRST_SEED]

Mutation number k is a function of k alone. What must hold: an image or an `ImageError`, within SECONDS of processor
time and MEGABYTES of memory over what an undamaged picture takes. The mutations run in a process of their own, which
the system ends where one of them takes far more than that. The exit status is 1 where a fault was found.
"""

import io
import json
import random
import re
import resource
import struct
import subprocess
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from habn.images import ImageError, open_image

COUNT, SECONDS, MEGABYTES = 2000, 2, 100
WIDTH, HEIGHT = 64, 48


def seeds() -> dict[str, bytes]:
    """Small pictures, by name: every format, in each of the ways of storing one that Pillow can write."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    photo = Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    other = photo.transpose(Image.Transpose.ROTATE_180)
    clear, grey, palette = photo.convert("RGBA"), photo.convert("L"), photo.quantize(16)
    clear.putalpha(grey)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6

    def several() -> dict:
        return {"save_all": True, "append_images": [other.copy()]}

    ways = {
        "JPEG": [(photo, {"exif": exif}), (photo, {"progressive": True}), (photo.convert("CMYK"), {}), (grey, {})],
        "MPO": [(photo, several())],
        "PNG": [
            (photo, {"exif": exif}),
            (clear, {}),
            (palette, {"transparency": 0}),
            (deep, {}),
            (grey.convert("1"), {}),
            (photo, several()),
        ],
        "GIF": [(palette, {"transparency": 0}), (photo, several())],
        "WEBP": [(photo, {"exif": exif}), (clear, {"lossless": True}), (photo, several())],
        "TIFF": [
            (photo, {}),
            *((photo, {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
            (deep, {}),
            (photo.convert("CMYK"), {"big_tiff": True}),
            (grey.convert("F"), {"compression": "tiff_lzw"}),
            (grey.convert("1"), {"compression": "group4"}),
            (photo, several()),
        ],
        "BMP": [(photo, {}), (palette, {}), (grey.convert("1"), {})],
        "AVIF": [(photo, {"exif": exif}), (clear, {}), (photo, several())],
    }
    found = {}
    for file_format, pictures in ways.items():
        for number, (picture, options) in enumerate(pictures):
            stream = io.BytesIO()
            picture.copy().save(stream, file_format, **options)  # a JPEG leaves its settings on what was saved
            found[f"{file_format} {number}"] = stream.getvalue()
    return found


def _set_bytes(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 8, 32))):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _set_number(data: bytearray, chance: random.Random) -> None:
    """A size, a count or an offset at the ends of its range, most often in the header."""
    place = chance.randrange(min(len(data), chance.choice((40, 200, len(data)))))
    code = chance.choice(("<H", ">H", "<I", ">I"))
    largest = 256 ** struct.calcsize(code) - 1
    value = chance.choice((0, 1, largest // 2, largest // 2 + 1, largest - 1, largest, 16_384, 65_535))
    data[place : place + struct.calcsize(code)] = struct.pack(code, value)


def _cut(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.choice((1, 4, 100, len(data)))]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    data[start:start] = data[start : start + chance.choice((1, 8, 64, 500))] * chance.choice((1, 2, 100, 2000))


def _insert(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    data[start:start] = chance.randbytes(chance.choice((1, 4, 300)))


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (_set_bytes, _set_number, _cut, _repeat, _insert)


def mutate(pictures: dict[str, bytes], number: int) -> tuple[str, bytes]:
    """Mutation of that number: the name of the picture that it began with, and the damaged file."""
    chance = random.Random(number)
    name = list(pictures)[number % len(pictures)]
    data = bytearray(pictures[name])
    for _ in range(chance.choice((1, 1, 2, 4))):
        if data:
            chance.choice(MUTATIONS)(data, chance)
    if name.startswith("PNG") and chance.random() < 0.8:
        _correct_checksums(data)
    return name, bytes(data)


def _correct_checksums(data: bytearray) -> None:
    """Of a PNG, as far as its chunks can be followed: a wrong one would hide whatever else is wrong."""
    place = 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if end + 4 > len(data):
            return
        data[end : end + 4] = zlib.crc32(data[place + 4 : end]).to_bytes(4)
        place = end + 4


def fault(data: bytes, base: float) -> str | None:
    """What is wrong with how a file is opened, or None."""
    started = _seconds()
    try:
        image = open_image(data, max_side=32)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not 1 <= max(image.shape[:2]) <= 32:
            return f"an image of {image.dtype} and {image.shape}"
    except ImageError as error:
        if not re.fullmatch(r"[A-Z][^\n]{10,158}\.", str(error)):
            return f"the sentence {str(error)!r}"
        if isinstance(error.__cause__, MemoryError):
            return "memory without bound"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if _seconds() - started > SECONDS:
        return f"{_seconds() - started:.1f} s"
    if _megabytes() - base > MEGABYTES:
        return f"{_megabytes() - base:.0f} MB more than an undamaged picture takes"
    return None


def _seconds() -> float:
    """Of processor time, of this process and of those that it has started and that have ended."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _megabytes() -> float:
    """The most memory that this process, or one that it has started, ever had at once."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _bound_process() -> None:
    """Let the system end this process where one file takes far more than it may; called anew before each."""
    seconds = int(time.process_time()) + 4 * SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _work(first: int, count: int) -> None:
    """Open mutations; print each number before, and each fault after."""
    warnings.simplefilter("ignore")  # Pillow warns of damage in TIFF files
    pictures = seeds()
    for name, data in pictures.items():
        assert open_image(data, max_side=32).shape[2] == 3, name
    base = _megabytes()
    addresses = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (addresses + 4_000_000 * MEGABYTES,) * 2)
    for number in range(first, first + count):
        _bound_process()
        name, data = mutate(pictures, number)
        print(json.dumps({"number": number, "name": name}), flush=True)
        if wrong := fault(data, base):
            print(json.dumps({"number": number, "name": name, "fault": wrong}), flush=True)


def find_faults(count: int, first: int = 0) -> list[str]:
    """Mutations number `first` and following: what was wrong, in words; an empty list if nothing was."""
    command = [sys.executable, __file__, "--work", str(count), str(first)]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    faults = [f"number {line['number']}, {line['name']}: {line['fault']}" for line in lines if "fault" in line]
    if done.returncode or not lines or lines[-1]["number"] != first + count - 1:
        last = f"number {lines[-1]['number']}, {lines[-1]['name']}" if lines else "the start"
        faults.append(f"{last}: the process ended with status {done.returncode}. {done.stderr[-2000:]}")
    return faults


def main() -> None:
    count, first = (*map(int, sys.argv[1:]), *(COUNT, 0)[len(sys.argv) - 1 :])
    started = time.monotonic()
    faults = find_faults(count, first)
    print("\n".join(faults + [f"{count} mutations, {len(faults)} faults, {time.monotonic() - started:.0f} s"]))
    sys.exit(bool(faults))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        _work(first=int(sys.argv[3]), count=int(sys.argv[2]))
    else:
        main()
