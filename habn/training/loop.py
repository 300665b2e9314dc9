"""The training loop: one for every task, resumable to the bit.

Everything random in a run is a function of (seed, step): the batches, their order and their augmentation. So a run
that was stopped needs nothing but weights, optimizer state and step to go on as if it had never stopped, and two
runs with one seed see the same data in the same order, whatever their normalization.
"""

import copy
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from habn.layers import HyperAdaptiveBatchNorm2d

STATE, AVERAGE, LOG, PREVIEW = "state.safetensors", "average.safetensors", "log.jsonl", "preview.png"


class Task(Protocol):
    """What the loop must know of a task. `held_out_batch` is asked for by a bilevel search alone."""

    name: str

    def batch(self, seed: int, step: int) -> Any:
        """The batch at a step: a function of its arguments alone."""

    def held_out_batch(self, seed: int, step: int) -> Any:
        """Likewise, of pictures that `batch` never shows."""

    def loss(self, network: nn.Module, batch: Any) -> tuple[Tensor, dict[str, float | Tensor]]:
        """The scalar to minimize, and figures for the log."""

    def evaluate(self, network: nn.Module) -> dict[str, float]:
        """Figures on the validation split, for the log."""

    def preview(self, network: nn.Module, path: Path) -> None:
        """Write a picture of what the network does now."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes:
        steps: length of the schedule, in batches.
        stop_at: end the run at this step of the schedule, to branch from there; None for the whole of it.
        learning_rate: Adam's, at the start of a cosine to 0, after `warmup` steps.
        delta_rate: multiple of the learning rate for HABN's delta and gates.
        evaluate_every: steps between validations.
        minutes: stop cleanly, with the state saved, after this wall-clock time; None for no limit.
        weight_decay: Adam's, decoupled, of everything with more than one dimension but delta and gates.
        average: decay of the moving average of weights and running statistics, which is what is validated and kept.
        precision: "float32", or "bfloat16" for mixed precision.
        search: "joint" lets the gates follow the loss of the batch (the text's), "bilevel" that of held-out pictures
            (the first-order step of DARTS, Liu et al. 2019); None for a network without gates to learn.
        temperatures: of the gates of a search, at the start and at the end.
    """

    steps: int
    stop_at: int | None = None
    learning_rate: float = 1e-3
    delta_rate: float = 1.0
    warmup: int = 50
    weight_decay: float = 0.02
    average: float = 0.995
    evaluate_every: int = 500
    minutes: float | None = None
    precision: str = "float32"
    search: str | None = None
    seed: int = 0
    temperatures: tuple[float, float] = (1.0, 0.1)


@dataclass(frozen=True)
class Outcome:
    """Where a run ended: its step, whether that is the end, and the seconds in all."""

    step: int
    finished: bool
    seconds: float


def fit(
    network: nn.Module, task: Task, options: TrainingOptions, folder: Path, branch_from: Path | None = None
) -> Outcome:
    """Train a network, from the state in a folder if there is one.

    Args:
        network: fresh, or converted; on its device.
        task: batches, loss and validation.
        options: how to train.
        folder: for state, averaged weights, log and preview.
        branch_from: the folder of a stopped run of which this one takes up weights, optimizer and step; parameters
            that it does not know start as they are.

    Returns:
        Where the run ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network.to(memory_format=torch.channels_last)  # convolutions are a quarter faster so, on CPU and GPU
    optimizer = _build_optimizer(network, options)
    progress = {"step": 0, "seconds": 0.0}
    average = copy.deepcopy(network)
    if (folder / STATE).exists():
        progress = _load_state(network, average, optimizer, folder / STATE)
    elif branch_from is not None:
        trunk = _load_state(network, average, optimizer, branch_from / STATE, partial=True)
        progress = {**progress, "step": trunk["step"]}
    end = options.stop_at or options.steps
    started, spent = time.monotonic(), progress["seconds"]
    device = next(network.parameters()).device
    bar = tqdm(total=end, initial=progress["step"], desc=folder.name, dynamic_ncols=True, mininterval=2)
    while progress["step"] < end:
        step = progress["step"]
        _set_rate(optimizer, options, step)
        set_temperature(network, options, step)
        network.train()
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bfloat16"):
            loss, figures = task.loss(network, task.batch(options.seed, step))
        loss.backward()
        if options.search == "bilevel":
            _take_gradient_of_gates(network, task, options, step)
        optimizer.step()
        _update_average(average, network, options.average, step)
        progress["step"] += 1
        bar.update()
        if step % 20 == 0:
            bar.set_postfix({key: f"{float(value):.4g}" for key, value in figures.items()})
        progress["seconds"] = spent + time.monotonic() - started
        out_of_time = options.minutes is not None and time.monotonic() - started > 60 * options.minutes
        if progress["step"] % options.evaluate_every == 0 or progress["step"] == end:
            set_temperature(average, options, step)
            report = _validate(average, task, options, folder, progress)
            _log(folder, {"step": progress["step"], **{k: float(v) for k, v in figures.items()}, **report})
            bar.set_postfix({key: f"{value:.4g}" for key, value in report.items() if isinstance(value, float)})
            _save_state(network, average, optimizer, progress, folder / STATE)
        if out_of_time:
            _save_state(network, average, optimizer, progress, folder / STATE)
            break
    bar.close()
    return Outcome(finished=progress["step"] >= end, **progress)


def _build_optimizer(network: nn.Module, options: TrainingOptions) -> torch.optim.Optimizer:
    search = {
        id(p) for m in network.modules() if isinstance(m, HyperAdaptiveBatchNorm2d) for p in m.search.parameters()
    }
    named = dict(network.named_parameters())
    weights = [(n, p) for n, p in named.items() if id(p) not in search and p.dim() > 1]
    others = [(n, p) for n, p in named.items() if id(p) not in search and p.dim() <= 1]
    delta = [(n, p) for n, p in named.items() if id(p) in search]
    groups = [(weights, options.weight_decay, 1.0), (others, 0.0, 1.0), (delta, 0.0, options.delta_rate)]
    return torch.optim.AdamW(
        [
            {"params": [p for _, p in g], "names": [n for n, _ in g], "weight_decay": decay, "multiple": multiple}
            for g, decay, multiple in groups
        ],
        lr=options.learning_rate,
    )


def _set_rate(optimizer: torch.optim.Optimizer, options: TrainingOptions, step: int) -> None:
    rate = options.learning_rate * min(1.0, (step + 1) / options.warmup)
    rate *= 0.5 * (1 + math.cos(math.pi * step / options.steps))
    for group in optimizer.param_groups:
        group["lr"] = rate * group["multiple"]


@torch.no_grad()
def _update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the average toward the network, at first faster, so that it forgets where the run began."""
    share = 1 - min(decay, (step + 1) / (step + 10))
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        kept.lerp_(new, share) if kept.is_floating_point() else kept.copy_(new)


def _take_gradient_of_gates(network: nn.Module, task: Task, options: TrainingOptions, step: int) -> None:
    """Replace the gradient of the gates' logits by that of the loss on held-out pictures."""
    logits = [
        m.search.logits
        for m in network.modules()
        if isinstance(m, HyperAdaptiveBatchNorm2d) and m.search.logits is not None
    ]
    device = logits[0].device
    with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bfloat16"):
        loss, _ = task.loss(network, task.held_out_batch(options.seed, step))
    for parameter, gradient in zip(logits, torch.autograd.grad(loss, logits), strict=True):
        parameter.grad = gradient


def set_temperature(network: nn.Module, options: TrainingOptions, step: int) -> None:
    """Anneal the gates' temperature geometrically over the schedule."""
    first, last = options.temperatures
    for module in network.modules():
        if isinstance(module, HyperAdaptiveBatchNorm2d):
            module.search.temperature = first * (last / first) ** (step / options.steps)


def _validate(network: nn.Module, task: Task, options: TrainingOptions, folder: Path, progress: dict) -> dict:
    network.eval()
    # Validation under the precision of training: on a CPU with bfloat16 units it is also the faster one.
    with torch.autocast(
        next(network.parameters()).device.type, torch.bfloat16, enabled=options.precision == "bfloat16"
    ):
        report = task.evaluate(network)
        task.preview(network, folder / PREVIEW)
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, folder / AVERAGE)
    return {**report, "seconds": round(progress["seconds"], 1), "dead_layers": dead_layers(network, task, options)}


@torch.no_grad()
def dead_layers(network: nn.Module, task: Task, options: TrainingOptions) -> list[str]:
    """Names of the HABN layers whose context map is constant on a whole batch: they neither adapt nor learn."""
    dead = []

    def look(name):
        def hook(layer, inputs):
            if not layer.context(inputs[0]).any():
                dead.append(name)

        return hook

    layers = [(n, m) for n, m in network.named_modules() if isinstance(m, HyperAdaptiveBatchNorm2d)]
    if layers:
        handles = [layer.register_forward_pre_hook(look(name)) for name, layer in layers]
        try:
            task.loss(network, task.batch(options.seed, 0))
        finally:
            for handle in handles:
                handle.remove()
    return dead


def _save_state(
    network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, progress: dict, path: Path
) -> None:
    tensors = {
        f"{part}.{k}": v.contiguous()
        for part, module in (("network", network), ("average", average))
        for k, v in module.state_dict().items()
    }
    for group in optimizer.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            for key, value in optimizer.state[parameter].items():
                tensors[f"optimizer.{name}.{key}"] = value.contiguous()
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, {"progress": json.dumps(progress)})
    partial.replace(path)


def _load_state(
    network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, path: Path, partial: bool = False
) -> dict:
    """Take up a state; `partial` allows it to lack what HABN adds, and nothing else.

    Raises:
        ValueError: when the file is damaged or of another network.
    """
    try:
        file = safe_open(path, "pt")
    except SafetensorError:
        raise ValueError(f"{path} is damaged; remove the folder of the run and train it again.") from None
    with file:
        progress = json.loads(file.metadata()["progress"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, safe_open is no dict
    weights = {k[len("network.") :]: v for k, v in tensors.items() if k.startswith("network.")}
    own = network.state_dict()
    lacking = {
        key for key in own.keys() - weights.keys() if not (partial and {"encoder", "search"} & {*key.split(".")})
    }
    odd = sorted(lacking | weights.keys() - own.keys())
    odd += [key for key in own.keys() & weights.keys() if own[key].shape != weights[key].shape]
    if odd:
        raise ValueError(
            f"{path} is the state of another network (see {odd[0]!r}); give another --run or --branch-from."
        )
    network.load_state_dict({**own, **weights})
    averaged = {k[len("average.") :]: v for k, v in tensors.items() if k.startswith("average.")}
    average.load_state_dict({**own, **averaged})
    for group in optimizer.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            prefix = f"optimizer.{name}."
            state = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
            if state:
                optimizer.state[parameter] = {k: v if k == "step" else v.to(parameter) for k, v in state.items()}
    return progress


def _log(folder: Path, entry: dict) -> None:
    with open(folder / LOG, "a") as file:
        file.write(json.dumps(entry) + "\n")


def options_dict(options: TrainingOptions) -> dict:
    """The options that shape the result, for a card."""
    return {k: v for k, v in asdict(options).items() if k not in ("minutes", "stop_at")}
