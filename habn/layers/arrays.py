"""Tensors as the arrays that the compiled loops take, and their answers as tensors."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def the_loops():
    from habn.layers import loops  # here, because Numba takes a second to import and some more to compile

    return loops


def wide(values: Tensor, fill: float = 0.0) -> np.ndarray:
    """An array whose last axis, of channels, has at least as many as the loops take at once."""
    missing = the_loops().WIDTH - values.shape[-1]
    return array(F.pad(values, (0, missing), value=fill) if missing > 0 else values)


def pieces_of(pixels: np.ndarray) -> int:
    return len(pixels) * -(-pixels.shape[1] // the_loops().PIECE)


def array(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().numpy())


def pixels_of(x: Tensor) -> np.ndarray:
    """(N, C, H, W) as (N, P, C), channels innermost; bfloat16 as its bits. A copy where memory is otherwise."""
    pixels = x.detach().permute(0, 2, 3, 1).contiguous().flatten(1, 2)
    if x.dtype == torch.bfloat16:
        return wide(pixels.view(torch.int16)).view(np.uint16)
    return wide(pixels.float())


class NewMap:
    """A new feature map like another, filled through `pixels`, (N, P, C)."""

    def __init__(self, like: Tensor) -> None:
        self.like = like
        n, c, h, w = like.shape
        dtype = torch.bfloat16 if like.dtype == torch.bfloat16 else torch.float32
        shape = (n, max(c, the_loops().WIDTH), h, w)
        self.values = torch.empty(shape, dtype=dtype, memory_format=torch.channels_last)
        self.pixels = pixels_of(self.values)

    def finished(self) -> Tensor:
        """The map, in the memory format and type of the other."""
        like, values = self.like, self.values
        if (
            like.dtype == values.dtype
            and like.shape == values.shape
            and like.is_contiguous(memory_format=torch.channels_last)
        ):
            return values
        return torch.empty_like(like).copy_(values[:, : like.shape[1]])
