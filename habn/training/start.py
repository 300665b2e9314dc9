"""Where a training run begins and how its search ends: what `habn.train` and `habn.study` share."""

import hashlib
from pathlib import Path

import torch
from torch import nn

from habn.checkpoints import CONFIG, WEIGHTS, CheckpointError, check_weights, read_card, read_weights
from habn.layers import HyperAdaptiveBatchNorm2d
from habn.training.loop import AVERAGE
from habn.training.search import set_temperature
from habn.training.state import STATE
from habn.training.task import TrainingOptions


def start_from(network: nn.Module, folder: Path) -> None:
    """Give a new network the weights of a checkpoint, whatever the normalization of either.

    What the checkpoint lacks stays as it is: what only HABN or FiLM has, and running statistics where it comes from IN.
    What of these the network lacks is left out. AdaIN has no scales and biases to give or take.

    Raises:
        CheckpointError: when the weights are missing, damaged or of another network.
    """
    path = folder / WEIGHTS
    expected = network.state_dict()
    known = {key: value for key, value in read_weights(path).items() if key in expected or not _may_lack(key)}
    weights = {**expected, **known}
    check_weights(expected, weights, path)
    network.load_state_dict(weights)


@torch.no_grad()
def lean_toward_own(module: nn.Module, share: float) -> None:
    """Let every layer with `statistics="own"` in a module start at a share of the way to the picture's own statistics.

    At 0, where new layers stand, they are batch normalization. Training moves the share but little from where it
    starts, so the start is a choice of the recipe; it is given in *s* = 1 and for open gates: less is mixed where *s*
    is lower, and half as much while the gates of a search stand at a half. A share of 2 is then the whole way.
    """
    for layer in module.modules():
        if isinstance(layer, HyperAdaptiveBatchNorm2d) and layer.statistics != "static":
            layer.search.delta[2:] = share


def trunk_digest(start: Path | None, branch: Path | None) -> str | None:
    """A digest of the weights that branches share, by which two checkpoints know that their channels correspond.

    Args:
        start: folder of the checkpoint that a run started from, if any.
        branch: folder of the stopped run that it took up, if any.

    Raises:
        CheckpointError: when the folder holds no such weights.
    """
    if branch is not None:
        return _digest(branch / STATE)
    return None if start is None else _digest(start / WEIGHTS)


def describe_start(folder: Path | None) -> dict | None:
    """For a card: which checkpoint a run started from, on what that was trained and how; None for fresh weights."""
    if folder is None:
        return None
    known = read_card(folder) if (folder / CONFIG).is_file() else {}
    return {"checkpoint": folder.name, "data": known.get("data"), "training": known.get("training")}


def take_average(network: nn.Module, folder: Path, options: TrainingOptions) -> nn.Module:
    """The network with the averaged weights of a finished run; the gates of a search are as the last step left them."""
    network.load_state_dict(read_weights(folder / AVERAGE))
    set_temperature(network, options, options.steps - 1)
    return network.eval()


def finish(network: nn.Module, folder: Path, options: TrainingOptions, least_gate: float = 0.5) -> nn.Module:
    """The network with the averaged weights of a finished run and hard gates, as it will be measured and saved.

    Args:
        least_gate: gates of a search that are less open are closed. To open one changes nothing and to close one does,
            so a network that was trained with gates of about a half loses much at 0.5.
    """
    take_average(network, folder, options)
    for module in network.modules():
        if isinstance(module, HyperAdaptiveBatchNorm2d):
            module.discretize(least_gate)
    others = {key: value for key, value in network.config.pop("norm_options", {}).items() if key != "search"}
    if others:
        network.config["norm_options"] = others
    return network


_PARTS = {"running_mean", "running_var", "num_batches_tracked", "encoder", "search", "condition"}
"""Of a normalization layer, what not every normalization has: statistics, and what HABN and FiLM learn besides."""


def _may_lack(key: str) -> bool:
    return not _PARTS.isdisjoint(key.split("."))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; give the folder of a checkpoint or of a run.") from None
