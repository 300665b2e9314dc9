"""What each normalization costs, as a multiple of batch normalization on the same machine in the same minute.

    python -m habn.benchmark [--json results/benchmark.json] [--repeats 20] [--threads 1 2]

Times whole networks and layers by themselves, in evaluation and in a training step, beside other normalizations that
adapt and beside a network whose BN is folded into its convolutions; further, what memory a training step takes, and how
the time grows. All candidates take turns, and the ratio is taken within each turn, so that a busy machine slows all
alike. A time that is not a ratio says little, and neither is ever asserted in a test.
"""

import argparse
import ctypes
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
from torch import Tensor, nn

from habn.commands.benchmark_candidates import FOLDED, LABELS, SHIPPED, build, fold, layers, networks, shipped
from habn.results.provenance import describe_commit, describe_hardware
from habn.results.speed import Benchmark, Timing, save_benchmark

BASELINE = "bn"
SHAPES = ((1, 64, 180, 240), (1, 32, 360, 480))
PICTURE = (1, 3, 360, 480)
BATCH = (8, 3, 192, 256)
GROWTH = ("bn", "habn", "habn-plus")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Under which a comparison is made; see `Timing`."""

    what: str
    shape: tuple[int, ...]
    work: str
    precision: str = "float32"
    device: str = "cpu"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m habn.benchmark", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured here, too")
    parser.add_argument("--repeats", type=int, default=20, help="turns of each candidate; a third for training steps")
    parser.add_argument(
        "--shapes", type=_shape, nargs="+", default=SHAPES, metavar="NxCxHxW", help="of a layer's input"
    )
    parser.add_argument("--picture", type=_shape, default=PICTURE, metavar="Nx3xHxW", help="a network's input")
    parser.add_argument("--batch", type=_shape, default=BATCH, metavar="Nx3xHxW", help="a training step's input")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    args = parser.parse_args(arguments)
    if args.repeats < 2 or min(args.threads) < 1:
        sys.exit("error: --repeats must be at least 2, and --threads at least 1.")
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("error: This machine has no CUDA device; leave out --device.")
    timings = []
    print("| what | input | work | precision | threads | normalization | ms or MiB | times BN (quartiles) |")
    print("|---|---|---|---|---|---|---|---|")
    for timing in measure(args):
        timings.append(timing)
        print(table_row(timing), flush=True)
    if args.json is not None:
        save_benchmark(_report(args, timings), args.json)


def measure(args: argparse.Namespace) -> Iterator[Timing]:
    """Everything, row by row."""
    for threads in args.threads:
        torch.set_num_threads(threads)
        setting = Setting(what="network", shape=args.picture, work="evaluation", device=args.device)
        yield from compare(setting, {**networks(), FOLDED: fold(build("bn")), SHIPPED: shipped()}, args.repeats)
        for shape in args.shapes:
            setting = Setting(what="layer", shape=shape, work="evaluation", device=args.device)
            yield from compare(setting, layers(shape), args.repeats)
        few = max(2, args.repeats // 3)
        for precision in ("float32", "bfloat16"):
            setting = Setting(
                what="network", shape=args.batch, work="training step", precision=precision, device=args.device
            )
            yield from compare(setting, networks(), few)
    setting = Setting(what="network", shape=args.batch, work="memory of a training step")
    yield from compare_memory(setting, networks())
    for shape in growth(args.shapes[0]):
        modules = {norm: module for norm, module in layers(shape).items() if norm in GROWTH}
        setting = Setting(what="layer, growth", shape=shape, work="evaluation", device=args.device)
        yield from compare(setting, modules, args.repeats)


def growth(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """A shape, with four times as many pixels, channels and pictures."""
    n, c, h, w = shape
    return [shape, (n, c, 2 * h, 2 * w), (n, 4 * c, h, w), (4 * n, c, h, w)]


def compare(setting: Setting, modules: dict[str, nn.Module], repeats: int) -> list[Timing]:
    x = torch.randn(setting.shape, device=setting.device).contiguous(memory_format=torch.channels_last)
    prepare = _evaluation if setting.work == "evaluation" else _training_step
    calls = {
        norm: prepare(module.to(setting.device, memory_format=torch.channels_last), x, setting.precision)
        for norm, module in modules.items()
    }
    return _timings(setting, {norm: [1000 * s for s in own] for norm, own in take_turns(calls, repeats).items()})


def take_turns(candidates: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call of each candidate; one turn before the first warms up and does not count.

    On one thread they are the processor's own, which other programs add little to.
    """
    clock = time.process_time if torch.get_num_threads() == 1 and not torch.cuda.is_available() else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(repeats + 1):
        for name, call in candidates.items():
            started = clock()
            call()
            if turn > 0:
                seconds[name].append(clock() - started)
    return seconds


def compare_memory(setting: Setting, modules: dict[str, nn.Module]) -> list[Timing]:
    """Peak memory of a training step above what was there before; nothing where the system cannot tell."""
    x = torch.randn(setting.shape).contiguous(memory_format=torch.channels_last)
    peaks: dict[str, list[float]] = {}
    for norm, module in modules.items():
        call = _training_step(module.to(memory_format=torch.channels_last), x, setting.precision)
        call()  # loops are compiled, and gradients are there
        found = [peak for peak in (_peak_memory(call) for _ in range(2)) if peak is not None]
        if not found:
            return []
        peaks[norm] = found
    return _timings(setting, peaks)


def table_row(t: Timing) -> str:
    low, high = t.quartiles
    shape = " x ".join(map(str, t.shape))
    ratio = f"{t.ratio:.2f} ({low:.2f} to {high:.2f})"
    return (
        f"| {t.what} | {shape} | {t.work} | {t.precision} | {t.threads} | {LABELS[t.norm]} | {t.amount:.2f} | {ratio} |"
    )


def _timings(setting: Setting, amounts: dict[str, list[float]]) -> list[Timing]:
    timings = []
    for norm, own in amounts.items():
        ratios = [a / b for a, b in zip(own, amounts[BASELINE], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        timings.append(
            Timing(
                what=setting.what,
                shape=setting.shape,
                work=setting.work,
                precision=setting.precision,
                threads=torch.get_num_threads(),
                norm=norm,
                amount=statistics.median(own),
                ratio=middle,
                quartiles=(low, high),
            )
        )
    return timings


def _evaluation(module: nn.Module, x: Tensor, precision: str) -> Callable[[], object]:
    @torch.inference_mode()
    def call() -> None:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            module.eval()(x)
        _wait(x)

    return call


def _training_step(module: nn.Module, x: Tensor, precision: str) -> Callable[[], object]:
    def call() -> None:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            y = module.train()(x)
        y.float().square().mean().backward()
        module.zero_grad()
        _wait(x)

    return call


def _wait(x: Tensor) -> None:
    if x.is_cuda:
        torch.cuda.synchronize()


def _peak_memory(call: Callable[[], object]) -> float | None:
    """MiB that a call needs at most beside what is there; None where the system is not Linux."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what was freed before shall not serve the call unseen
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = _status("VmRSS")
        call()
        return (_status("VmHWM") - before) / 1024
    except (AttributeError, OSError):
        return None


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise OSError(f"no {key}")


def _report(args: argparse.Namespace, timings: list[Timing]) -> Benchmark:
    return Benchmark(
        hardware=describe_hardware(torch.cuda.get_device_name() if args.device.startswith("cuda") else None),
        load=os.getloadavg() if hasattr(os, "getloadavg") else None,
        torch=torch.__version__,
        commit=describe_commit(),
        date=date.today(),
        repeats=args.repeats,
        labels=LABELS,
        timings=tuple(timings),
    )


def _shape(text: str) -> tuple[int, ...]:
    sides = text.split("x")
    if len(sides) != 4 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is no shape; write it as 1x64x180x240")
    return tuple(map(int, sides))


if __name__ == "__main__":
    main()
