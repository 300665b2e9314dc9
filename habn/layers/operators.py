"""Functions of tensors that are not made of PyTorch's, with their gradients."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx


class Operator:
    """One node to whoever traces or compiles; else it is called directly, since the way over a node costs five times
    as much as what small maps take.

    There is no second derivative.

    Args:
        name: of the node, after "habn::".
        forward: annotated, so that PyTorch knows the types; it may return tensors and views of its own, not its inputs.
        fake: gives outputs without values, of the same shapes.
        backward, keep: as in `torch.library.register_autograd`; None for an operator that is a gradient itself.
    """

    def __init__(
        self,
        name: str,
        forward: Callable,
        fake: Callable,
        backward: Callable | None = None,
        keep: Callable | None = None,
    ) -> None:
        self.forward = forward
        self.node = torch.library.custom_op(f"habn::{name}", forward, mutates_args=())
        self.node.register_fake(fake)
        backward, keep = backward or _no_second_derivative, keep or _keep_nothing
        self.node.register_autograd(backward, setup_context=keep)

        def forward_and_keep(ctx: FunctionCtx, *inputs: object):
            output = forward(*inputs)
            keep(ctx, inputs, output)
            return output

        parts = {"forward": staticmethod(forward_and_keep), "backward": staticmethod(backward)}
        self.function: Any = type(name, (torch.autograd.Function,), parts)

    def __call__(self, *arguments: object):
        if torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() or any(map(_is_special, arguments)):
            return self.node(*arguments)
        return self.function.apply(*arguments) if torch.is_grad_enabled() else self.forward(*arguments)


def _is_special(argument: object) -> bool:
    """Whether a tensor is of a class that handles operators itself."""
    return isinstance(argument, Tensor) and type(argument) not in (Tensor, torch.nn.Parameter)


def _keep_nothing(ctx: FunctionCtx, inputs: tuple, output: object) -> None:
    pass


def _no_second_derivative(ctx: FunctionCtx, *grads: Tensor):
    raise RuntimeError(
        "The compiled loops of an HABN layer have no second derivative; compute the first within "
        "habn.layers.kernels.plain(), or in float64."
    )
