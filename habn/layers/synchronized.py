"""Statistics of a batch that is spread over processes.

With n_r values per channel in process r, their mean m_r and biased variance v_r:

    mean = sum n_r m_r / sum n_r        var = sum n_r (v_r + (m_r - mean)^2) / sum n_r

as `torch.nn.SyncBatchNorm` has it. Processes may hold different numbers of pictures, or none.
"""

import torch
from torch import Tensor, distributed

ProcessGroup = object  # torch.distributed.ProcessGroup, which is not there in every build of PyTorch


def is_spread(group: ProcessGroup | None) -> bool:
    """Whether several processes train together."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size(group) > 1


def synchronize(mean: Tensor, var: Tensor, count: int, group: ProcessGroup | None) -> tuple[Tensor, Tensor, int]:
    """Mean, biased variance and number of values per channel over all processes; every process must call it.

    Args:
        mean, var: this process's, (C,).
        count: its number of values per channel. Where it is 0, mean and var may be anything finite.
        group: the processes; None for all.
    """
    share = torch.full_like(mean[:1], count, dtype=torch.float64)
    sums = _Sum.apply(torch.cat([mean.double() * share, share]), group)
    total = sums[-1].detach()
    whole_mean = sums[:-1] / total
    whole_var = _Sum.apply((var.double() + (mean.double() - whole_mean).square()) * share, group) / total
    return whole_mean.to(mean.dtype), whole_var.to(var.dtype), int(total)


class _Sum(torch.autograd.Function):
    """The sum over processes. Each adds to the losses of all, so the gradient is a sum over processes as well."""

    @staticmethod
    def forward(ctx, values: Tensor, group: ProcessGroup | None) -> Tensor:
        ctx.group = group
        values = values.clone()
        distributed.all_reduce(values, group=group)
        return values

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        return _Sum.apply(grad, ctx.group), None
