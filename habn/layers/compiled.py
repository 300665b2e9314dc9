"""The layer on a CPU: four operators over the loops of `habn.layers.loops`, with their gradients.

    hidden, size, mean, var, *links = measure(x, weight, ...)    weight x of each pixel, and each picture's statistics
    context = encode(hidden, size, ...)                          s, from hidden
    table = tabulate(base, slope, ...)                           the parameters of the formula, (N, 9, C)
    y = normalize(x, context, table, *links)                     the formula

What lies between is small, (N, C) or a few maps, and is left to PyTorch. A forward pass so reads the feature map twice
and writes it once, as batch normalization does in training, and keeps nothing of its size but x.

The gradient of x has three parts, of the formula, of the encoder and of the statistics, and only `measure`'s backward
pass, the last, knows all. So x has its whole gradient from there, in one pass; what that pass needs of the formula, the
gradient of y, s and the table, it receives in place of the gradients of `links`, three outputs that are nothing but the
way back. They take no memory.

See `habn.layers.operators` for how they are called. There is no second derivative.
"""

import numpy as np
import torch
from torch import Tensor

from habn.layers.arrays import NewMap, array, pieces_of, pixels_of, the_loops, wide
from habn.layers.operators import Operator
from habn.layers.threads import share

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
MOST_HIDDEN = 8
"""With more hidden features than this, a matrix product of PyTorch is faster than a loop over pixels."""


def _measure(
    x: Tensor, weight: Tensor, with_statistics: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """See the module. weight is (H, C), H = 0 for no hidden; mean and var are (N, C), or (0, C) if not asked for.

    size, (N, H), is that of what is summed at one pixel of hidden, and has no gradient.
    """
    loops = the_loops()
    hidden, size, mean, var, *links = _outputs_of_measure(x, weight, with_statistics)
    if len(weight) or with_statistics:
        pixels = pixels_of(x)
        count = pieces_of(pixels)
        sums = np.empty((2, count if with_statistics else 0, pixels.shape[2]), np.float32)
        share(
            loops.measure, count, x.numel(), pixels, wide(weight), with_statistics, hidden.numpy(), size.numpy(), *sums
        )
        if with_statistics:
            loops.merge_pieces(pixels.shape[1], *sums, mean.numpy(), var.numpy())
    return hidden, size, mean, var, *links


def _outputs_of_measure(x: Tensor, weight: Tensor, with_statistics: bool) -> tuple[Tensor, ...]:
    n, c, h, w = x.shape
    precise = dict(dtype=torch.float32)
    hidden, size = x.new_empty((n, len(weight), h * w), **precise), x.new_empty((n, len(weight)), **precise)
    mean, var = (x.new_empty((n if with_statistics else 0, c), **precise) for _ in range(2))
    link_y = x.new_zeros(()).expand(x.shape)
    link_context = x.new_zeros((), **precise).expand(n, h * w)
    link_table = x.new_zeros((), **precise).expand(n, 9, c)
    return hidden, size, mean, var, link_y, link_context, link_table


def _measure_backward(
    x: Tensor,
    weight: Tensor,
    grad_hidden: Tensor,
    offset: Tensor,
    slope: Tensor,
    grad_y: Tensor,
    context: Tensor,
    table: Tensor,
) -> tuple[Tensor, Tensor]:
    """The whole gradient of x, and that of weight. offset + slope * x, (N, C) each, is the part of the statistics."""
    pixels = pixels_of(x)
    grad_x = NewMap(x)
    count = pieces_of(pixels)
    grad_weights = torch.empty(count, len(weight), pixels.shape[2])
    share(
        the_loops().measure_backward, count, x.numel(), pixels_of(grad_y), pixels, array(context), wide(table, 1.0),
        wide(weight), array(grad_hidden), wide(offset), wide(slope), grad_x.pixels, grad_weights.numpy(),
    )  # fmt: skip
    return grad_x.finished(), grad_weights[..., : x.shape[1]].sum(0)


def _fake_measure_backward(x, weight, grad_hidden, offset, slope, grad_y, context, table):
    return torch.empty_like(x), weight.new_empty(weight.shape, dtype=torch.float32)


measure_backward = Operator("measure_backward", _measure_backward, _fake_measure_backward)


def _keep_for_measure(ctx, inputs, output) -> None:
    x, weight, ctx.with_statistics = inputs
    ctx.save_for_backward(x, weight, output[2])
    ctx.set_materialize_grads(False)


def _backward_of_measure(ctx, grad_hidden, _, grad_mean, grad_var, grad_y, context, table):
    x, weight, mean = ctx.saved_tensors
    n, c, h, w = x.shape
    count = h * w
    zeros = weight.new_zeros((n, c))
    if grad_hidden is None:
        grad_hidden = weight.new_zeros((n, len(weight), count))
    slope = zeros if grad_var is None else grad_var * (2 / count)
    offset = zeros if grad_mean is None else grad_mean / count
    if ctx.with_statistics:
        offset = offset - slope * mean
    if grad_y is None:  # nobody normalized x
        grad_y, context, table = torch.zeros_like(x), weight.new_zeros((n, count)), weight.new_ones((n, 9, c))
    return *measure_backward(x, weight, grad_hidden, offset, slope, grad_y, context, table), None


measure = Operator("measure", _measure, _outputs_of_measure, _backward_of_measure, _keep_for_measure)


def _encode(
    hidden: Tensor,
    size: Tensor,
    bias: Tensor,
    weight2: Tensor,
    bias2: Tensor,
    weight3: Tensor,
    bias3: Tensor,
    kind: int,
) -> Tensor:
    """s, (N, P), from hidden, (N, H, P). weight2 is (H, H) and weight3 (H,)."""
    context = hidden.new_empty((hidden.shape[0], hidden.shape[2]))
    arrays = [array(t) for t in (hidden, size, bias, weight2, bias2, weight3, bias3)]
    share(the_loops().encode, len(hidden), hidden.numel(), *arrays, kind, context.numpy())
    return context


def _fake_encode(hidden, size, bias, weight2, bias2, weight3, bias3, kind):
    return hidden.new_empty((hidden.shape[0], hidden.shape[2]))


def _encode_backward(
    grad_context: Tensor,
    hidden: Tensor,
    size: Tensor,
    bias: Tensor,
    weight2: Tensor,
    bias2: Tensor,
    weight3: Tensor,
    bias3: Tensor,
    kind: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of hidden, bias, weight2, bias2, weight3 and bias3."""
    arrays = [array(t) for t in (grad_context, hidden, size, bias, weight2, bias2, weight3, bias3)]
    grad_hidden = torch.empty_like(hidden)
    weights = (bias, weight2, bias2, weight3, bias3)
    grads = [torch.empty(len(hidden), *weight.shape) for weight in weights]  # of each picture
    outputs = [grad.numpy() for grad in (grad_hidden, *grads)]
    share(the_loops().encode_backward, len(hidden), hidden.numel(), *arrays, kind, *outputs)
    return grad_hidden, *(grad.sum(0) for grad in grads)


def _fake_encode_backward(grad_context, hidden, size, *weights_and_kind):
    return torch.empty_like(hidden), *(torch.empty_like(weight) for weight in weights_and_kind[:-1])


encode_backward = Operator("encode_backward", _encode_backward, _fake_encode_backward)


def _keep_for_encode(ctx, inputs, output) -> None:
    *tensors, ctx.kind = inputs
    ctx.save_for_backward(*tensors)


def _backward_of_encode(ctx, grad_context):
    grad_hidden, *grads = encode_backward(grad_context, *ctx.saved_tensors, ctx.kind)
    return grad_hidden, None, *grads, None


encode = Operator("encode", _encode, _fake_encode, _backward_of_encode, _keep_for_encode)


def _tabulate(
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    d_scale: Tensor | None,
    d_bias: Tensor | None,
    d_mean: Tensor | None,
    d_var: Tensor | None,
    pictures: int,
    eps: float,
    floor: float,
) -> Tensor:
    """The table (N, 9, C) of base and slope, each (1 or N, C) or None, with the least variance floor * var."""
    table = var.new_zeros((pictures, 9, var.shape[1]), dtype=torch.float32)
    rows = table.numpy()
    for k, values in enumerate((scale, bias, mean, var, d_scale, d_bias, d_mean, d_var, var)):
        if values is not None:
            rows[:, k] = values.detach().float().numpy()
    rows[:, 8] *= floor
    rows[:, 3::5] += eps  # var and the least
    return table


def _fake_tabulate(scale, bias, mean, var, d_scale, d_bias, d_mean, d_var, pictures, eps, floor):
    return var.new_empty((pictures, 9, var.shape[1]), dtype=torch.float32)


def _keep_for_tabulate(ctx, inputs, output) -> None:
    *factors, _, _, ctx.floor = inputs
    ctx.kinds = [None if f is None else (f.shape[0] == 1, f.dtype) for f in factors]


def _backward_of_tabulate(ctx, grad):
    together = grad.sum(0, keepdim=True)
    grads = []
    for k, kind in enumerate(ctx.kinds):
        if kind is None or not ctx.needs_input_grad[k]:
            grads.append(None)
            continue
        of_picture, dtype = together if kind[0] else grad, kind[1]
        values = of_picture[:, k]
        grads.append((values + ctx.floor * of_picture[:, 8] if k == 3 else values).to(dtype))
    return *grads, None, None, None


tabulate = Operator("tabulate", _tabulate, _fake_tabulate, _backward_of_tabulate, _keep_for_tabulate)


def _normalize(
    x: Tensor, context: Tensor, table: Tensor, link_y: Tensor, link_context: Tensor, link_table: Tensor
) -> Tensor:
    """y, in the memory format of x; table (N, 9, C) has the rows of `loops.TABLE`."""
    pixels = pixels_of(x)
    y = NewMap(x)
    share(the_loops().normalize, pieces_of(pixels), x.numel(), pixels, array(context), wide(table, 1.0), y.pixels)
    return y.finished()


def _fake_normalize(x, context, table, link_y, link_context, link_table):
    return torch.empty_like(x)


def _normalize_backward(grad_y: Tensor, x: Tensor, context: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of context and table."""
    pixels = pixels_of(x)
    n, p, channels = pixels.shape
    grad_context = torch.empty(n, p)
    count = pieces_of(pixels)
    grad_tables = torch.empty(count, 9, channels)
    share(
        the_loops().normalize_backward, count, x.numel(), pixels_of(grad_y), pixels, array(context), wide(table, 1.0),
        grad_context.numpy(), grad_tables.numpy(),
    )  # fmt: skip
    return grad_context, grad_tables.view(n, -1, 9, channels)[..., : x.shape[1]].sum(1)


def _fake_normalize_backward(grad_y, x, context, table):
    return torch.empty_like(context), torch.empty_like(table)


normalize_backward = Operator("normalize_backward", _normalize_backward, _fake_normalize_backward)


def _keep_for_normalize(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs[:3])


def _backward_of_normalize(ctx, grad_y):
    x, context, table = ctx.saved_tensors
    return None, *normalize_backward(grad_y, x, context, table), grad_y, context, table


normalize = Operator("normalize", _normalize, _fake_normalize, _backward_of_normalize, _keep_for_normalize)
