"""Compilers, exporters and tracers take a network with HABN, and give the network's own answers."""

import copy
import os
import signal

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from habn.layers import HyperAdaptiveBatchNorm2d, compiled, convert_batch_norm, threads
from habn.layers.kernels import plain

OPTIONS = [{}, dict(granularity="channel", statistics="own")]
pytestmark = pytest.mark.filterwarnings(  # PyTorch's compiler warns of itself
    "ignore:.*torch.jit.*is deprecated:DeprecationWarning",
    "ignore:.*should not be instantiated:DeprecationWarning",
)
each_kind = pytest.mark.parametrize("options", OPTIONS, ids=["habn", "habn-plus"])


def build(options: dict) -> nn.Module:
    """Two layers, the second with one parameter closed, all far from their start."""
    network = convert_batch_norm(
        nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.Conv2d(16, 9, 1), nn.BatchNorm2d(9)
        ),
        **options,
    )
    with torch.no_grad():
        for layer in (network[1], network[4]):
            layer.search.delta.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 2)
            layer.running_mean.normal_()
        network[4].search.closed[1] = True
    return network.eval()


def picture() -> Tensor:
    return torch.randn(2, 3, 12, 14)


def assert_alike(got: Tensor, wanted: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)


@each_kind
def test_export_gives_the_answer_in_common_operations_only(options):
    network, x = build(options), picture()
    program = torch.export.export(network, (x,))
    assert not [node for node in program.graph.nodes if "habn" in str(node.target)]
    assert_alike(program.module()(x), network(x))


@each_kind
def test_compile_takes_the_whole_network_and_its_gradients(options):
    network, x = build(options).train(), picture()
    other = copy.deepcopy(network)
    torch._dynamo.reset()
    got = torch.compile(network, fullgraph=True, backend="aot_eager")(x)
    wanted = other(x)
    assert_alike(got, wanted)
    for y in (got, wanted):
        y.square().sum().backward()
    for (name, p), q in zip(network.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, msg=name)
    torch.testing.assert_close(network[1].running_var, other[1].running_var)


def test_compilers_see_one_node_for_each_loop():
    seen = []

    def backend(module, inputs):
        seen.extend(str(node.target) for node in module.graph.nodes if "habn" in str(node.target))
        return module

    torch._dynamo.reset()
    torch.compile(build({})[1], fullgraph=True, backend=backend)(torch.randn(2, 16, 5, 6))
    assert [name.rpartition("habn.")[2].split(".")[0] for name in seen] == [
        "measure",
        "encode",
        "tabulate",
        "normalize",
    ]


@each_kind
def test_a_symbolic_trace_keeps_the_layers_whole(options):
    network, x = build(options), picture()
    traced = torch.fx.symbolic_trace(network)
    assert isinstance(traced.get_submodule("1"), HyperAdaptiveBatchNorm2d)
    assert torch.equal(traced(x), network(x))


@each_kind
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_gives_the_answer(options):
    network, x = build(options), picture()
    traced = torch.jit.trace(network, x)
    other = picture()
    assert_alike(traced(other), network(other))


def test_scripting_is_refused_in_one_sentence():
    with pytest.raises(RuntimeError, match=r"^An HABN layer cannot be scripted; use torch.export, .* instead\.$"):
        torch.jit.script(build({}))


@each_kind
def test_function_transforms_give_the_answer(options):
    network, x = build(options), picture()
    assert_alike(torch.func.vmap(lambda one: network(one[None])[0])(x), network(x))
    _, change = torch.func.jvp(network, (x,), (torch.ones_like(x),))
    twice = build(options).double()
    twice.load_state_dict(network.state_dict())
    step = 1e-6
    x = x.double()
    assert_alike(change.double(), (twice(x + step) - twice(x - step)) / (2 * step), 1e-3)


def test_loops_refuse_a_second_derivative_and_plain_gives_it():
    layer, x = build({})[1], torch.randn(2, 16, 4, 5, requires_grad=True)

    def penalty() -> Tensor:
        (gradient,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
        return gradient.square().sum()

    with pytest.raises(
        RuntimeError, match=r"no second derivative; compute the first within .*plain\(\), or in float64"
    ):
        penalty().backward()
    with plain():
        penalty().backward()
    assert x.grad.isfinite().all() and x.grad.any()


def test_the_loops_are_taken_wherever_they_can_be(monkeypatch):
    taken = []
    share = compiled.share
    monkeypatch.setattr(compiled, "share", lambda loop, *rest: (taken.append(loop.__name__), share(loop, *rest))[1])
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        for memory_format in (torch.contiguous_format, torch.channels_last):
            for options in OPTIONS:
                taken.clear()
                x = torch.randn(2, 16, 5, 6).to(dtype, memory_format=memory_format).requires_grad_()
                y = build(options)[1].train()(x)
                assert taken == ["measure", "encode", "normalize"]
                y.float().square().sum().backward()
                assert taken[3:] == ["normalize_backward", "encode_backward", "measure_backward"]
                assert x.grad.dtype == dtype and y.stride() == x.stride()


@each_kind
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_an_operation_in_place_may_follow(options, mode):
    layer = getattr(build(options)[1], mode)()
    x = torch.randn(2, 16, 5, 6)
    for change in (lambda y: y.relu_(), lambda y: y.add_(1), lambda y: y.mul_(y.detach().sign())):
        wanted, got = (x.clone().requires_grad_() for _ in range(2))
        change(layer(wanted).clone()).square().sum().backward()
        y = layer(got)
        assert not y._is_view()
        change(y).square().sum().backward()
        assert torch.equal(got.grad, wanted.grad)


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "older"])
@each_kind
@pytest.mark.filterwarnings("ignore")  # the exporters' own
def test_onnx_gives_the_answer_and_each_context(options, dynamo, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    network, x = build(options), picture()

    class WithContexts(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            contexts = []
            for layer in network:
                if isinstance(layer, HyperAdaptiveBatchNorm2d):
                    contexts.append(layer.context(x))
                x = layer(x)
            return x, *contexts

    module = WithContexts().eval()
    module.network = network
    path = str(tmp_path / "network.onnx")
    torch.onnx.export(module, (x,), path, dynamo=dynamo, input_names=["x"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [entry.name for entry in session.get_inputs()] == ["x"]
    with torch.no_grad():
        wanted = module(x)
    for got, own in zip(session.run(None, {"x": x.numpy()}), wanted, strict=True):
        assert_alike(torch.tensor(got), own, 1e-4)


@pytest.mark.parametrize("way", ["hook", "prune", "spectral norm", "parametrization"])
def test_what_hangs_on_the_first_convolution_is_heard(way):
    layer, x = build({})[1], torch.randn(2, 16, 5, 6)
    conv, before = layer.encoder.conv1, layer(x)
    if way == "hook":
        conv.register_forward_hook(lambda module, inputs, output: output.square())
    elif way == "prune":
        prune.random_unstructured(conv, "weight", 0.5)
    elif way == "spectral norm":
        nn.utils.parametrizations.spectral_norm(conv)
    else:
        nn.utils.parametrize.register_parametrization(conv, "weight", nn.Softplus())
    with torch.no_grad():
        m = conv(x) - conv.bias[:, None, None]
        m = m - m.mean((2, 3), keepdim=True) + conv.bias[:, None, None]
        m = layer.encoder.conv3(layer.encoder.conv2(m.relu()).relu()).relu()
        m = m - m.amin((2, 3), keepdim=True)
        assert_alike(layer.context(x), m / (m.amax((2, 3), keepdim=True) + 1e-5))
    assert not torch.equal(layer(x), before)


def test_the_answer_does_not_depend_on_the_threads(monkeypatch):
    monkeypatch.setattr(threads, "LEAST", 1)  # else these maps were too small to share
    network, x = build({})[:2].train(), torch.randn(2, 3, 60, 80)
    found, before = [], torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            own, given = copy.deepcopy(network[1]), network[0](x).detach().requires_grad_()
            y = own(given)
            y.square().sum().backward()
            found.append([y, given.grad, own.running_var, *(p.grad for p in own.parameters())])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is the point
def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(threads, "LEAST", 1)
    before = torch.get_num_threads()
    # In the child PyTorch's own threads hang where the parent had some, so nothing there may be work for them.
    layer, x = build({})[1], torch.randn(2, 16, 60, 80).to(memory_format=torch.channels_last)
    torch.set_num_threads(2)
    try:
        with torch.inference_mode():
            wanted = layer(x).numpy().tobytes()
            child = os.fork()
            if child == 0:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.alarm(60)  # a hang is a failure
                os._exit(0 if layer(x).numpy().tobytes() == wanted else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        torch.set_num_threads(before)
