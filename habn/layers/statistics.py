"""Batch normalization's own statistics, over one process or several."""

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from habn.layers.kernels import Measured, merge_statistics
from habn.layers.synchronized import ProcessGroup, is_spread, synchronize


class BatchStatistics(_BatchNorm):
    """What a layer normalizes with where it does not adapt, by PyTorch's conventions.

    Attributes:
        synchronized: in training, take the batch's statistics over all processes of `process_group`, None for all.
    """

    synchronized: bool
    process_group: ProcessGroup | None

    def _static_statistics(self, x: Tensor, measured: Measured, update_running: bool) -> tuple[Tensor, Tensor]:
        """mu and sigma^2 of batch normalization, each (1, C), by PyTorch's conventions."""
        if not self.training and self.running_mean is not None:
            return self.running_mean[None], self.running_var[None]
        mean, var, count = self._batch_statistics(x, measured)
        if count < 2:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(x.shape)}")
        if self.training and update_running and self.track_running_stats:
            share = self._count_batch()
            if self.running_mean is not None:
                self._update_running(mean.detach(), var.detach() * (count / (count - 1)), share)
        return mean[None], var[None]

    def _batch_statistics(self, x: Tensor, measured: Measured) -> tuple[Tensor, Tensor, int]:
        """Mean and biased variance of each channel, (C,), and of how many values."""
        count = x.numel() // x.shape[1]
        if count:
            mean, var = merge_statistics(measured.mean, measured.var)
        else:
            mean = var = x.sum((0, 2, 3), dtype=self._statistics_type(x))  # 0, and part of the gradient's way
        return synchronize(mean, var, count, self.process_group) if self._is_spread() else (mean, var, count)

    def _is_spread(self) -> bool:
        return self.training and self.synchronized and is_spread(self.process_group)

    def _statistics_type(self, x: Tensor) -> torch.dtype:
        return torch.promote_types(x.dtype, torch.float32) if self.running_mean is None else self.running_mean.dtype

    @torch.no_grad()
    def _count_batch(self) -> float:
        """Count one more batch; the share that it has in the running statistics."""
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum

    @torch.no_grad()
    def _update_running(self, mean: Tensor, unbiased_var: Tensor, share: float) -> None:
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(unbiased_var.to(self.running_var.dtype), share)
