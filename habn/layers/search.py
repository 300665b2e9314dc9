"""The search: what a layer adapts, and how much.

delta_w = gate * delta, one for (scale, bias, mean, variance)            DifferentiableSearch       (4,) or (4, C)
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from habn.layers.choices import Granularity, check_choice


class SearchState(NamedTuple):
    """Where the search of one layer stands: delta (4,) or (4, C), gates (4,) in [0, 1], and the gates' temperature."""

    delta: Tensor
    gates: Tensor
    temperature: float
    discrete: bool


class DifferentiableSearch(nn.Module):
    """Which of the four parameters a layer adapts, and by how much.

    delta_w = gate * delta, with gate = sigmoid(logit / temperature) while searching and 0 or 1 afterwards.

    Departure: the text speaks of a "smoothed relaxation" without naming the choice behind it. Here the choice is, for
    each parameter of each layer, to adapt it or to leave it; four independent sigmoids and not a softmax, since the
    parameters co-operate.

    Args:
        num_features: C.
        granularity: "layer" for one delta in R^4, as the text has it; "channel" for one in R^(4 x C).
        search: whether the gates are learned. Without a search they are 1.
    """

    _version: tuple[int, int] | None = None

    def __init__(self, num_features: int, granularity: Granularity = "layer", search: bool = False) -> None:
        super().__init__()
        check_choice("granularity", granularity, Granularity)
        shape = (4,) if granularity == "layer" else (4, num_features)
        self.searches = search
        self.delta = nn.Parameter(torch.empty(shape))
        self.logits = nn.Parameter(torch.empty(4)) if search else None
        # Integers, since averages of weights subtract buffers, which PyTorch does not do with truth values.
        self.register_buffer("closed", torch.empty(4, dtype=torch.int8))
        self.temperature = 1.0
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Begin anew: delta 0, which is batch normalization; gates half open where they are learned; nothing closed."""
        self.delta.zero_()
        self.closed.zero_()
        self.temperature = 1.0
        if self.searches and self.logits is None:  # an earlier search has ended
            self.logits = nn.Parameter(self.delta.new_empty(4))
        if self.logits is not None:
            self.logits.zero_()
        self._read_closed()

    @property
    def gates(self) -> Tensor:
        """(4,), in [0, 1]."""
        if self.logits is None:
            return (self.closed == 0).to(self.delta.dtype)
        return torch.sigmoid(self.logits / self.temperature)

    def forward(self) -> tuple[Tensor | None, ...]:
        """gate * delta for each parameter, (1,) or (C,); None for one that is closed for good."""
        # Without gradients a view of a parameter claims one that it has not, and PyTorch's FlopCounterMode stops at it.
        known = torch.is_grad_enabled() or _is_traced()  # a trace looks the same with gradients and without
        weighted = (self.delta if known else self.delta.detach()).view(4, -1)
        if self.logits is not None or _is_traced():  # then a gate may have closed unseen
            weighted = self.gates[:, None] * weighted
        return tuple(None if closed else d for d, closed in zip(weighted.unbind(0), self._closed(), strict=True))

    def _closed(self) -> tuple[bool, ...]:
        """`closed` as Python's own; while tensors are traced and cannot be read, as it was when it last could."""
        if not _is_traced() and (self._version is None or self._version != self._version_of_closed()):
            self._read_closed()
        return self._flags

    def _read_closed(self) -> None:
        self._flags = (False,) * 4 if self.closed.is_meta else tuple(map(bool, self.closed.tolist()))
        self._version = self._version_of_closed()

    def _version_of_closed(self) -> tuple[int, int] | None:
        """Where another device has `closed`, and how often it was changed: to read it means to wait for that device.

        None on a CPU, where it is read every time, since a change through `.data` or NumPy does not count there.
        """
        closed = self.closed
        return (
            None
            if closed.device.type in ("cpu", "meta") or closed.is_inference()
            else (closed.data_ptr(), closed._version)
        )

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._read_closed()

    @torch.no_grad()
    def discretize(self, least: float = 0.5) -> None:
        """End the search: gates of at least `least` become 1, the others close for good.

        A layer whose gates are all closed costs no more than batch normalization in evaluation mode.

        The value of a gate that stays open goes into its delta, so that only what is closed changes the layer.
        """
        if self.logits is not None:
            gates = self.gates
            self.delta.mul_(gates.view(4, *[1] * (self.delta.dim() - 1)))
            self.closed.copy_(gates < least)
            self._read_closed()
            self.logits = None


def _is_traced() -> bool:
    """Whether tensors have no values that Python could read."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing() or torch._C._are_functorch_transforms_active()
