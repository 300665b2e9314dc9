"""The training loop: one for every task, resumable to the bit.

Everything random in a run is a function of (seed, step): the batches, their order and their augmentation. So a run
that was stopped needs nothing but weights, optimizer state and step to go on as if it had never stopped, and two
runs with one seed see the same data in the same order, whatever their normalization.
"""

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from habn.layers import HyperAdaptiveBatchNorm
from habn.training.search import dead_layers, set_temperature, take_gradient_of_gates
from habn.training.state import STATE, load_state, save_state
from habn.training.task import Task, TrainingOptions

AVERAGE, LOG, PREVIEW = "average.safetensors", "log.jsonl", "preview.png"


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
    progress: dict[str, Any] = {"step": 0, "seconds": 0.0}
    average = copy.deepcopy(network)
    if (folder / STATE).exists():
        progress = load_state(network, average, optimizer, folder / STATE)
    elif branch_from is not None:
        trunk = load_state(network, average, optimizer, branch_from / STATE, partial=True)
        progress = {**progress, "step": trunk["step"]}
    end = options.stop_at or options.steps
    started, spent = time.monotonic(), progress["seconds"]
    bar = tqdm(total=end, initial=progress["step"], desc=folder.name, dynamic_ncols=True, mininterval=2)
    while progress["step"] < end:
        step = progress["step"]
        _set_rate(optimizer, options, step)
        set_temperature(network, options, step)
        network.train()
        optimizer.zero_grad()
        with options.autocast(network):
            loss, figures = task.loss(network, task.batch(options.seed, step))
        loss.backward()
        if options.search == "bilevel":
            take_gradient_of_gates(network, task, options, step)
        optimizer.step()
        _update_average(average, network, options.average, step)
        progress["step"] += 1
        bar.update()
        if step % 20 == 0:
            bar.set_postfix({key: f"{float(value):.4g}" for key, value in figures.items()})
        progress["seconds"] = spent + time.monotonic() - started
        out_of_time = options.minutes is not None and time.monotonic() - started > 60 * options.minutes
        is_validated = progress["step"] % options.evaluate_every == 0 or progress["step"] == end
        if is_validated:
            set_temperature(average, options, step)
            report = _validate(average, task, options, folder, progress)
            _log(folder, {"step": progress["step"], **{k: float(v) for k, v in figures.items()}, **report})
            bar.set_postfix({key: f"{value:.4g}" for key, value in report.items() if isinstance(value, float)})
        if is_validated or out_of_time:
            save_state(network, average, optimizer, progress, folder / STATE)
        if out_of_time:
            break
    bar.close()
    return Outcome(finished=progress["step"] >= end, **progress)


def _build_optimizer(network: nn.Module, options: TrainingOptions) -> torch.optim.Optimizer:
    search = {id(p) for m in network.modules() if isinstance(m, HyperAdaptiveBatchNorm) for p in m.search.parameters()}
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


def _validate(network: nn.Module, task: Task, options: TrainingOptions, folder: Path, progress: dict) -> dict:
    network.eval()
    # Validation under the precision of training: on a CPU with bfloat16 units it is also the faster one.
    with options.autocast(network):
        report = task.evaluate(network)
        task.preview(network, folder / PREVIEW)
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, folder / AVERAGE)
    return {**report, "seconds": round(progress["seconds"], 1), "dead_layers": dead_layers(network, task, options)}


def _log(folder: Path, entry: dict) -> None:
    with open(folder / LOG, "a") as file:
        file.write(json.dumps(entry) + "\n")
