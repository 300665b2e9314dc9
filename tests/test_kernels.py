"""Statistics and formula have two ways, compiled loops and plain PyTorch; both must give autograd's answer."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from habn.layers import compiled, kernels
from habn.layers.kernels import VARIANCE_FLOOR, Factors, adaptive_normalize, effective, measure, merge_statistics, plain

N, C, H, W = 2, 5, 4, 7
EPS = 1e-5
SUBSETS = list(itertools.product([False, True], repeat=4))


def factors(rows: tuple[int, int] = (1, 1), adapted: tuple[bool, ...] = (True,) * 4) -> tuple[Factors, Factors]:
    """Base and slope, float64; slopes reach far enough that the floor of the variance holds at some pixels."""
    base = [torch.randn(rows[0], C), torch.randn(rows[0], C), torch.randn(rows[0], C), 0.2 + torch.rand(rows[0], C)]
    slope = [torch.randn(rows[1], C) - 0.7 * (k == 3) if is_adapted else None for k, is_adapted in enumerate(adapted)]
    return Factors(*(b.double() for b in base)), Factors(*(s if s is None else s.double() for s in slope))


def expression(x: Tensor, context: Tensor, base: Factors, slope: Factors, eps: float) -> Tensor:
    """The formula as it is written, for autograd to differentiate."""
    maps = [
        b[..., None, None] + (0 if s is None else context * s[..., None, None])
        for b, s in zip(base, slope, strict=True)
    ]
    scale, bias, mean, var = maps
    var = torch.maximum(var, VARIANCE_FLOOR * base.var[..., None, None])
    return (x - mean) / torch.sqrt(var + eps) * scale + bias


def answer_and_gradients(function, dtype: torch.dtype, x: Tensor, context: Tensor, base: Factors, slope: Factors):
    leaves = [t if t is None else t.to(dtype).detach().requires_grad_() for t in (x, context, *base, *slope)]
    y = function(leaves[0], leaves[1], Factors(*leaves[2:6]), Factors(*leaves[6:]), EPS)
    weights = torch.linspace(-1, 1, y.numel(), dtype=torch.float64).sin().view(y.shape)
    (y.double() * weights).sum().backward()
    return [y.detach()] + [torch.zeros_like(t) if t.grad is None else t.grad for t in leaves if t is not None]


def assert_close(got: list[Tensor], wanted: list[Tensor], tolerance: float) -> None:
    assert len(got) == len(wanted)
    for g, w in zip(got, wanted, strict=True):
        assert g.shape == w.shape
        torch.testing.assert_close(g.double(), w, rtol=tolerance, atol=tolerance * max(1.0, float(w.abs().max())))


@pytest.mark.parametrize("rows", [(1, 1), (N, 1), (1, N), (N, N)])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 2e-5)], ids=["torch", "compiled"])
def test_both_evaluations_equal_the_expression_and_its_gradients(dtype, tolerance, rows):
    x, context = torch.randn(N, C, H, W).double(), torch.rand(N, 1, H, W).double()
    base, slope = factors(rows)
    var = effective(context, base, slope).var
    held = var <= VARIANCE_FLOOR * base.var[..., None, None]
    assert held.any() and not held.all(), "the test must see both sides of the floor"
    wanted = answer_and_gradients(expression, torch.float64, x, context, base, slope)
    assert_close(answer_and_gradients(adaptive_normalize, dtype, x, context, base, slope), wanted, tolerance)


@pytest.mark.parametrize("adapted", SUBSETS, ids=lambda a: "".join("01"[k] for k in a))
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 2e-5)], ids=["torch", "compiled"])
def test_any_subset_of_the_parameters_may_be_adapted(dtype, tolerance, adapted):
    x, context = torch.randn(N, C, H, W).double(), torch.rand(N, 1, H, W).double()
    base, slope = factors(adapted=adapted)
    got = answer_and_gradients(adaptive_normalize, dtype, x, context, base, slope)
    assert_close(got, answer_and_gradients(expression, torch.float64, x, context, base, slope), tolerance)


def test_gradients_are_those_of_finite_differences():
    x, context = torch.randn(N, C, 3, 2).double(), torch.rand(N, 1, 3, 2).double()
    base, slope = factors((N, 1))
    leaves = [t.requires_grad_() for t in (x, context, *base, *slope)]

    def function(x, context, *rest):
        return adaptive_normalize(x, context, Factors(*rest[:4]), Factors(*rest[4:]), EPS)

    assert torch.autograd.gradcheck(function, leaves)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 1, 2, 5), (1, 17, 1, 9), (2, 64, 3, 3)], ids=str)
def test_the_compiled_loops_take_any_shape(shape):
    n, c, h, w = shape
    x, context = torch.randn(shape), torch.rand(n, 1, h, w)
    base = Factors(torch.randn(1, c), torch.randn(1, c), torch.randn(1, c), 0.1 + torch.rand(1, c))
    slope = Factors(*torch.randn(4, 1, c))
    got = adaptive_normalize(x, context, base, slope, EPS)
    torch.testing.assert_close(got, expression(x, context, base, slope, EPS), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("memory", ["channels_last", "transposed", "sliced"])
def test_memory_layout_changes_nothing(memory):
    x, context = torch.randn(N, C, H, W), torch.rand(N, 1, H, W)
    base, slope = (Factors(*(t.float() for t in f)) for f in factors())
    other = {
        "channels_last": x.to(memory_format=torch.channels_last),
        "transposed": x.mT.contiguous().mT,
        "sliced": torch.stack([x, x], -1).flatten(3)[..., ::2],
    }[memory]
    assert torch.equal(other, x) and other.stride() != x.stride()
    got = [adaptive_normalize(t.requires_grad_(), context, base, slope, EPS) for t in (x, other)]
    torch.testing.assert_close(got[1], got[0], rtol=0, atol=0)
    grads = [torch.autograd.grad(y.sin().sum(), t)[0] for y, t in zip(got, (x, other), strict=True)]
    torch.testing.assert_close(grads[1], grads[0], rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32_and_rounded_once(dtype):
    x, context = torch.randn(N, C, H, W).to(dtype), torch.rand(N, 1, H, W)
    base, slope = (Factors(*(t.float() for t in f)) for f in factors())
    y = adaptive_normalize(x, context, base, slope, EPS)
    assert y.dtype == dtype
    assert torch.equal(y, adaptive_normalize(x.float(), context, base, slope, EPS).to(dtype))


def test_the_pixels_of_one_picture_do_not_touch_another():
    x, context = torch.randn(3, C, H, W), torch.rand(3, 1, H, W)
    base, slope = (Factors(*(t.float() for t in f)) for f in factors())
    together = adaptive_normalize(x, context, base, slope, EPS)
    alone = torch.cat([adaptive_normalize(x[k, None], context[k, None], base, slope, EPS) for k in range(3)])
    assert torch.equal(together, alone)


def test_the_effective_parameters_are_those_that_normalize():
    x, context = torch.randn(N, C, H, W).double(), torch.rand(N, 1, H, W).double()
    base, slope = factors()
    scale, bias, mean, var = effective(context, base, slope)
    y = (x - mean) / torch.sqrt(var + EPS) * scale + bias
    torch.testing.assert_close(y, adaptive_normalize(x, context, base, slope, EPS))


def test_a_parameter_that_is_not_adapted_stays_one_number_per_channel():
    base, _ = factors()
    maps = effective(torch.rand(N, 1, H, W).double(), base, Factors(None, None, None, None))
    assert all(m.shape == (1, C, 1, 1) and torch.equal(m[..., 0, 0], b) for m, b in zip(maps, base, strict=True))


def instance_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    return measure(x)[1:3]


def batch_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    return merge_statistics(*instance_statistics(x))


each_statistics = pytest.mark.parametrize(
    "statistics, dimensions",
    [(batch_statistics, (0, 2, 3)), (instance_statistics, (2, 3))],
    ids=["of the batch", "of each picture"],
)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 1e-5)], ids=str
)
@each_statistics
def test_statistics_are_mean_and_biased_variance(statistics, dimensions, dtype, tolerance, memory_format):
    x = (5 + 3 * torch.randn(4, C, 16, 16)).to(dtype).to(memory_format=memory_format)
    mean, var = statistics(x)
    assert mean.dtype == var.dtype == torch.promote_types(dtype, torch.float32)
    wanted_var, wanted_mean = torch.var_mean(x.double(), dimensions, correction=0)
    torch.testing.assert_close(mean.double(), wanted_mean, rtol=tolerance, atol=0)
    torch.testing.assert_close(var.double(), wanted_var, rtol=10 * tolerance, atol=0)


@pytest.mark.parametrize("offset", [0, 300])
@pytest.mark.parametrize(
    "dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 1e-4), (torch.bfloat16, 1e-2)], ids=str
)
@each_statistics
def test_statistics_have_the_gradients_of_mean_and_variance(statistics, dimensions, dtype, tolerance, offset):
    x = (offset + torch.randn(2, C, 8, 8)).to(dtype).requires_grad_()
    mean, var = statistics(x)
    (mean.sin().sum() + (var * torch.arange(C)).sum()).backward()
    exact = x.detach().double().requires_grad_()
    wanted_var, wanted_mean = torch.var_mean(exact, dimensions, correction=0)
    (wanted_mean.sin().sum() + (wanted_var * torch.arange(C)).sum()).backward()
    largest = float(exact.grad.abs().max())
    torch.testing.assert_close(x.grad.double(), exact.grad, rtol=tolerance, atol=tolerance * largest)


def test_float64_never_meets_the_compiled_loops(monkeypatch):
    monkeypatch.setattr(compiled, "the_loops", lambda: pytest.fail("float64 must keep its precision"))
    base, slope = factors()
    adaptive_normalize(torch.randn(N, C, H, W).double(), torch.rand(N, 1, H, W).double(), base, slope, EPS)


def test_plain_asks_for_common_operations_only(monkeypatch):
    monkeypatch.setattr(compiled, "the_loops", lambda: pytest.fail("these are the loops"))
    base, slope = factors()
    with plain():
        adaptive_normalize(torch.randn(N, C, H, W), torch.rand(N, 1, H, W), base, slope, EPS)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["torch", "compiled"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_hidden(dtype, value):
    x = torch.randn(1, C, 2, 3, dtype=dtype)
    x[0, 1, 1, 2] = value
    base, slope = (Factors(*(t.to(dtype) for t in f)) for f in factors())
    y = adaptive_normalize(x, torch.rand(1, 1, 2, 3, dtype=dtype), base, slope, EPS)
    finite = y.isfinite()
    assert not finite[0, 1, 1, 2] and int((~finite).sum()) == 1


def test_on_a_gpu_the_formula_is_one_kernel(monkeypatch):
    asked = []
    monkeypatch.setattr(kernels, "_fused", lambda: lambda x, *_: asked.append(x.dtype) or torch.empty_like(x))
    with FakeTensorMode():  # tensors of a GPU that need none
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            x, context = torch.empty(N, C, H, W, dtype=dtype, device="cuda"), torch.empty(N, 1, H, W, device="cuda")
            factors = [Factors(*torch.empty(4, 1, C, device="cuda").unbind()) for _ in range(2)]
            adaptive_normalize(x, context, *factors, EPS)
            assert asked.pop() == dtype
            with plain():
                assert not kernels.is_fused(x), "it may be differentiated twice"
        assert not kernels.is_fused(x.double()) and not kernels.is_fused(x.cpu())


@pytest.mark.parametrize("adapted", [(True,) * 4, (True, True, False, False)], ids=["all", "two"])
def test_the_fused_formula_has_the_answer_and_gradients(adapted):
    # The compiler's own code generator needs a C++ compiler and a minute; all that comes before it is here.
    fused = torch.compile(kernels._expression, dynamic=True, backend="aot_eager", fullgraph=True)
    for size in (4, 9):
        x, context = torch.randn(N, C, size, 7).double(), torch.rand(N, 1, size, 7).double()
        given = (x, context, *factors(adapted=adapted))
        wanted = answer_and_gradients(expression, torch.float64, *given)
        assert_close(answer_and_gradients(fused, torch.float32, *given), wanted, 2e-5)


def test_threads_may_normalize_at_once():
    base, slope = (Factors(*(t.float() for t in f)) for f in factors())
    pictures = [(torch.randn(1, C, 40, 50), torch.rand(1, 1, 40, 50)) for _ in range(8)]
    wanted = [adaptive_normalize(*picture, base, slope, EPS) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            got = list(pool.map(lambda picture: adaptive_normalize(*picture, base, slope, EPS), pictures))
            assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
