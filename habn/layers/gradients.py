"""Two functions whose gradient is not the one of what they compute."""

import torch
from torch import Tensor


class Share(torch.autograd.Function):
    """Clamp to [0, 1], passing on every gradient that leads back inside: no share is ever stuck beyond an end."""

    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor) -> Tensor:
        return value.clamp(0, 1)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors
        leads_out = ((value < 0) & (grad > 0)) | ((value > 1) & (grad < 0))  # descent goes against the gradient
        return grad.masked_fill(leads_out, 0)


def share_of(value: Tensor) -> Tensor:
    no_gradient = not torch.is_grad_enabled() or torch.jit.is_tracing()  # nor can a trace hold one that is written out
    return value.clamp(0, 1) if no_gradient else Share.apply(value)


class Unused(torch.autograd.Function):
    """A tensor as it is; what else is passed gets a gradient of zero, so that it took part in the pass.

    `DistributedDataParallel` waits for the gradient of every parameter.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor, *unused: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, ...]:
        return grad, *(torch.zeros_like(tensor) for tensor in ctx.saved_tensors)
