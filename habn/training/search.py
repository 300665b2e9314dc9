"""The search while a network is trained: the temperature and the gradient of the gates, and layers that are dead."""

import torch
from torch import nn

from habn.layers import HyperAdaptiveBatchNorm2d
from habn.training.task import Task, TrainingOptions


def take_gradient_of_gates(network: nn.Module, task: Task, options: TrainingOptions, step: int) -> None:
    """Replace the gradient of the gates' logits by that of the loss on held-out pictures.

    Running statistics stay as they are, so that nothing but the gates sees those pictures.
    """
    logits = [
        m.search.logits
        for m in network.modules()
        if isinstance(m, HyperAdaptiveBatchNorm2d) and m.search.logits is not None
    ]
    statistics = [(buffer, buffer.clone()) for buffer in network.buffers()]
    with options.autocast(network):
        loss, _ = task.loss(network, task.held_out_batch(options.seed, step))
    for parameter, gradient in zip(logits, torch.autograd.grad(loss, logits), strict=True):
        parameter.grad = gradient
    for buffer, before in statistics:
        buffer.copy_(before)


def set_temperature(network: nn.Module, options: TrainingOptions, step: int) -> None:
    """Anneal the gates' temperature geometrically over the schedule."""
    first, last = options.temperatures
    for module in network.modules():
        if isinstance(module, HyperAdaptiveBatchNorm2d):
            module.search.temperature = first * (last / first) ** (step / options.steps)


@torch.no_grad()
def dead_layers(network: nn.Module, task: Task, options: TrainingOptions) -> list[str]:
    """Names of the HABN layers whose context map is constant on a whole batch: they neither adapt nor learn."""
    dead = []

    def look(name):
        def hook(layer, inputs):
            if not layer.context(inputs[0]).detach().any():
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
