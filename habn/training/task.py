"""What the training loop must know: of a task, and how to train."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from habn.errors import HabnError
from habn.settings import setting


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


def default_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(device: str) -> None:
    """Refuse a CUDA device where there is none.

    Raises:
        HabnError: in one sentence.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise HabnError("This machine has no CUDA device; leave out --device or give --device cpu.")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How to train.

    Attributes:
        warmup: steps before the learning rate falls along a cosine to 0.
        weight_decay: Adam's, decoupled, of everything with more than one dimension but delta and gates.
        average: decay of the moving average of weights and running statistics, which is what is validated and kept.
        search: "joint" lets the gates follow the loss of the batch (the text's), "bilevel" that of held-out pictures
            (the first-order step of DARTS, Liu et al. 2019); None for a network without gates to learn.
        temperatures: of the gates of a search, at the start and at the end.
    """

    steps: int = setting("length of the schedule, in batches")
    stop_at: int | None = setting("end at this step of the schedule, to branch from there", None)
    learning_rate: float = setting("Adam's, at the start of a cosine to 0", 1e-3)
    delta_rate: float = setting("multiple of the learning rate for HABN's delta and gates", 1.0)
    warmup: int = 50
    weight_decay: float = 0.02
    average: float = 0.995
    evaluate_every: int = setting("steps between validations", 500)
    minutes: float | None = setting("stop cleanly after this time; the same command continues", None)
    precision: str = setting("bfloat16 is mixed precision", "float32", choices=("float32", "bfloat16"))
    search: str | None = setting("learn HABN's gates and make them hard at the end", None, choices=("joint", "bilevel"))
    seed: int = setting("of weights, batches and order", 0)
    temperatures: tuple[float, float] = (1.0, 0.1)

    def autocast(self, network: nn.Module) -> torch.autocast:
        """The context in which passes of a network have this precision."""
        device = next(network.parameters()).device.type
        return torch.autocast(device, torch.bfloat16, enabled=self.precision == "bfloat16")


def options_dict(options: TrainingOptions) -> dict:
    """The options that shape the result; validation, for one, chooses nothing."""
    return {k: v for k, v in asdict(options).items() if k not in ("minutes", "stop_at", "evaluate_every")}
