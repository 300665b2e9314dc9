"""How long each normalization takes, as a multiple of batch normalization on the same machine in the same minute.

    python -m habn.benchmark [--json FILE] [--repeats 30] [--shapes 1x64x180x240 1x32x360x480] [--threads 2]

Times layers by themselves and whole networks, in evaluation and in a training step. All candidates take turns, and the
ratio is taken within each turn, so that a busy machine slows them alike. A time that is not a ratio says little, and
neither is ever asserted in a test.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import torch
from torch import Tensor, nn

from habn.commands import end_with_a_sentence
from habn.errors import HabnError
from habn.layers import HyperAdaptiveBatchNorm2d
from habn.layers.normalization import NORM_LABELS, NORM_LAYERS, build_norm_layer
from habn.networks import build_network
from habn.results.provenance import describe_commit, describe_hardware
from habn.training.task import check_device

BASELINE = "bn"
SHAPES = ((1, 64, 180, 240), (1, 32, 360, 480))
PICTURE = (1, 3, 360, 480)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Times of one candidate.

    Attributes:
        what: "layer" or the network's name; `shape` is that of its input.
        work: "forward" (evaluation) or "training step" (forward and backward).
        milliseconds: median.
        ratio: median of the time over the baseline's of the same turn; `quartiles` of the same.
    """

    what: str
    shape: tuple[int, ...]
    work: str
    norm: str
    milliseconds: float
    ratio: float
    quartiles: tuple[float, float]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m habn.benchmark", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the timings here, too")
    parser.add_argument("--repeats", type=int, default=30, help="turns of each candidate")
    parser.add_argument(
        "--shapes", type=_shape, nargs="+", default=SHAPES, metavar="NxCxHxW", help="of a layer's input"
    )
    parser.add_argument("--picture", type=_shape, default=PICTURE, metavar="Nx3xHxW", help="a network's input")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    args = parser.parse_args(arguments)
    end_with_a_sentence(lambda: measure(args))


def measure(args: argparse.Namespace) -> None:
    """Time everything, and print it.

    Raises:
        HabnError: one sentence on an argument.
    """
    if args.repeats < 2 or args.threads < 1:
        raise HabnError("--repeats must be at least 2, and --threads at least 1.")
    check_device(args.device)
    torch.set_num_threads(args.threads)
    timings = [
        *time_layers(args.shapes, args.repeats, args.device),
        *time_networks(args.picture, args.repeats, args.device),
    ]
    print(table(timings))
    if args.json is not None:
        args.json.write_text(json.dumps(_report(args, timings), indent=1) + "\n")


def time_layers(shapes: tuple[tuple[int, ...], ...], repeats: int, device: str) -> list[Timing]:
    """Every normalization that needs no style, by itself."""
    return [
        timing
        for shape in shapes
        for timing in _time_both(
            "layer", {norm: build_norm_layer(norm)(shape[1]) for norm in NORM_LAYERS}, shape, repeats, device
        )
    ]


def time_networks(shape: tuple[int, ...], repeats: int, device: str) -> list[Timing]:
    """SPVCNN with every normalization."""
    return _time_both("spvcnn", {norm: build_network("spvcnn", norm) for norm in NORM_LAYERS}, shape, repeats, device)


def take_turns(candidates: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call of each candidate; one turn before the first warms up and does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(repeats + 1):
        for name, call in candidates.items():
            started = time.perf_counter()
            call()
            if turn > 0:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def table(timings: list[Timing]) -> str:
    """Markdown: a row per candidate."""
    lines = ["| what | input | work | normalization | ms | times BN (quartiles) |", "|---|---|---|---|---|---|"]
    for t in timings:
        low, high = t.quartiles
        shape = " x ".join(map(str, t.shape))
        ratio = f"{t.ratio:.2f} ({low:.2f} to {high:.2f})"
        lines.append(f"| {t.what} | {shape} | {t.work} | {NORM_LABELS[t.norm]} | {t.milliseconds:.2f} | {ratio} |")
    return "\n".join(lines)


def _time_both(
    what: str, modules: dict[str, nn.Module], shape: tuple[int, ...], repeats: int, device: str
) -> list[Timing]:
    x = torch.randn(shape, device=device).contiguous(memory_format=torch.channels_last)
    for module in modules.values():
        module.to(device, memory_format=torch.channels_last)
        _adapt(module)
    works = {"forward": _forward, "training step": _training_step}
    return [
        timing
        for work, prepare in works.items()
        for timing in _compare(
            what, shape, work, take_turns({norm: prepare(module, x) for norm, module in modules.items()}, repeats)
        )
    ]


def _compare(what: str, shape: tuple[int, ...], work: str, seconds: dict[str, list[float]]) -> list[Timing]:
    timings = []
    for norm, own in seconds.items():
        ratios = [a / b for a, b in zip(own, seconds[BASELINE], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        timings.append(
            Timing(
                what=what,
                shape=shape,
                work=work,
                norm=norm,
                milliseconds=1000 * statistics.median(own),
                ratio=middle,
                quartiles=(low, high),
            )
        )
    return timings


def _adapt(module: nn.Module) -> None:
    """A layer that has learned nothing yet takes a shorter way; what is measured shall adapt."""
    for layer in module.modules():
        if isinstance(layer, HyperAdaptiveBatchNorm2d):
            nn.init.constant_(layer.search.delta, 0.01)


def _forward(module: nn.Module, x: Tensor) -> Callable[[], object]:
    @torch.inference_mode()
    def call() -> None:
        module.eval()(x)
        _wait(x)

    return call


def _training_step(module: nn.Module, x: Tensor) -> Callable[[], object]:
    x = x.clone().requires_grad_()

    def call() -> None:
        module.train()(x).square().mean().backward()
        module.zero_grad()
        x.grad = None
        _wait(x)

    return call


def _wait(x: Tensor) -> None:
    if x.is_cuda:
        torch.cuda.synchronize()


def _report(args: argparse.Namespace, timings: list[Timing]) -> dict:
    return {
        "hardware": describe_hardware(torch.cuda.get_device_name() if args.device.startswith("cuda") else None),
        "threads": args.threads,
        "torch": torch.__version__,
        "commit": describe_commit(),
        "date": date.today().isoformat(),
        "repeats": args.repeats,
        "timings": [asdict(timing) for timing in timings],
    }


def _shape(text: str) -> tuple[int, ...]:
    sides = text.split("x")
    if len(sides) != 4 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is no shape; write it as 1x64x180x240")
    return tuple(map(int, sides))


if __name__ == "__main__":
    main()
