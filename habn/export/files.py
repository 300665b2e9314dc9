"""ONNX files of a network, and whether they say what PyTorch says.

    model.onnx     pixels (and style) to the answer, with the knobs of `habn.export.graph`
    layers.onnx    the same, and every layer's x, y, s, static and slope
    network.json   names, layers, classes or styles: what a program needs to know of both

The layers' file is the model's and something after it: Protocol Buffers merge a message that is followed by another
one, so `model.onnx` + `Exported.layers` are the bytes of `layers.onnx`. Who wants both need not hold the weights twice.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from habn.checkpoints import LoadedNetwork
from habn.data.segmentation import STREET_PALETTE
from habn.data.styles import STYLES
from habn.errors import HabnError
from habn.export.graph import ANSWER, NetworkGraph
from habn.hooks.recording import RecordedFactors, factors_of, normalization_layers
from habn.layers.kernels import VARIANCE_FLOOR

MODEL, LAYERS, NETWORK = "model.onnx", "layers.onnx", "network.json"
OPSET = 18
"""The newest that PyTorch's tracing exporter writes; ONNX Runtime and ONNX Runtime Web have known it since 2023."""
TOLERANCE = 1e-4
CHECKED_SIZES = ((96, 128), (131, 77))
"""Height and width of the pictures that a file is checked on: another one than it was traced with, and an odd one."""


class ExportError(HabnError):
    """One sentence on a network that cannot be exported, and what to do."""


@dataclass(frozen=True, eq=False)
class Exported:
    """A network as ONNX.

    Attributes:
        graph: what was exported.
        model: the bytes of model.onnx.
        layers: what makes layers.onnx of it, put after it.
        facts: the content of network.json.
    """

    graph: NetworkGraph
    model: bytes
    layers: bytes
    facts: dict[str, Any]


def export(loaded: LoadedNetwork) -> Exported:
    """Trace a network of this project into ONNX, for pictures of any number and size from 16 pixels.

    Raises:
        ExportError: when the packages of the extra `export` are not installed.
    """
    try:
        import onnx
    except ImportError:
        raise ExportError("The export needs ONNX: pip install 'habn-explorer[export]'.") from None
    graph = NetworkGraph(loaded.network).eval()
    whole = onnx.load_from_string(_trace(graph))
    model, layers = _split(onnx, whole)
    return Exported(graph, model, layers, _facts(graph, loaded))


def write(exported: Exported, folder: Path) -> list[Path]:
    """Write the three files into a folder, which is made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        MODEL: exported.model,
        LAYERS: exported.model + exported.layers,
        NETWORK: (json.dumps(exported.facts, indent=1) + "\n").encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def check(exported: Exported) -> float:
    """The largest difference to PyTorch of any output, as a share of that output's largest value.

    Raises:
        ExportError: when it is above `TOLERANCE`, or ONNX Runtime is not installed.
    """
    found = {name: max(differences) for name, differences in _differences(exported).items()}
    worst = max(found, key=lambda name: found[name])
    if found[worst] > TOLERANCE:
        raise ExportError(
            f"The exported network's {worst} is {found[worst]:.1e} off PyTorch's, and at most {TOLERANCE:.0e} is "
            "right; do not use it, and report which checkpoint it was."
        )
    return found[worst]


def open_session(model: bytes) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """A function from named inputs to named outputs, run by ONNX Runtime on one thread of the CPU.

    Raises:
        ExportError: when ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise ExportError("The check needs ONNX Runtime: pip install 'habn-explorer[export]'.") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(None, inputs), strict=True))


def _trace(graph: NetworkGraph) -> bytes:
    file = BytesIO()
    # The tracing exporter: the newer one takes minutes for a network of eighteen layers.
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            graph.example(),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=_axes(graph),
        )
    return file.getvalue()


def _axes(graph: NetworkGraph) -> dict[str, dict[int, str]]:
    """The names of what may differ in size; two of one name are of one size."""
    axes = {name: {0: "pictures"} for name in (*graph.inputs, *graph.outputs)}
    axes["pixels"] |= {2: "height", 3: "width"}
    axes[ANSWER] |= axes["pixels"]
    axes = {name: its for name, its in axes.items() if name not in ("strength", "blend")}
    for name in graph.inputs:
        if name == "painted":
            axes[name] = {2: "painted.height", 3: "painted.width"}
        elif name.startswith("order."):
            axes[name] = {0: f"{name}.height", 1: f"{name}.width"}
    for name, size in zip(graph.names, graph.sizes, strict=True):
        for part in ("x", "y", "s"):
            if f"{name}.{part}" in axes:
                axes[f"{name}.{part}"] |= {2: f"height.{size}", 3: f"width.{size}"}
    return axes


def _split(onnx: Any, whole: Any) -> tuple[bytes, bytes]:
    """The part of a model that its answer needs, and the rest."""
    needed = _needed(whole.graph, ANSWER)
    model, layers = onnx.ModelProto(), onnx.ModelProto()
    model.CopyFrom(whole)
    for field in ("node", "initializer", "output", "value_info"):
        model.graph.ClearField(field)
    model.graph.name = "habn"
    for node in whole.graph.node:
        node.ClearField("doc_string")
        (model if needed & set(node.output) else layers).graph.node.append(node)
    for weight in whole.graph.initializer:
        (model if weight.name in needed else layers).graph.initializer.append(weight)
    for output in whole.graph.output:
        (model if output.name == ANSWER else layers).graph.output.append(output)
    return model.SerializeToString(), layers.SerializeToString()


def _needed(graph: Any, output: str) -> set[str]:
    """The names of all values that an output is made of."""
    makers = {name: node for node in graph.node for name in node.output}
    needed, wanted = set(), [output]
    while wanted:
        name = wanted.pop()
        if name not in needed:
            needed.add(name)
            wanted += makers[name].input if name in makers else []
    return needed


def _facts(graph: NetworkGraph, loaded: LoadedNetwork) -> dict[str, Any]:
    network, metadata = loaded.network, loaded.metadata
    layers = []
    inputs, first = graph.example(), len(graph.given)
    as_trained = {name: value.tolist() for name, value in zip(graph.inputs[first:], inputs[first:], strict=True)}
    for index, (name, factors) in enumerate(_factors(graph, inputs).items()):
        layers.append(
            {
                "name": name,
                "kind": factors.kind,
                "adapts": graph.adapts[index],
                "size": graph.sizes[index],
                "eps": factors.eps,
                "gates": factors.gates.tolist(),
                "delta": factors.delta.tolist(),
            }
        )
    known = {"classes": metadata["classes"], "palette": STREET_PALETTE.tolist()} if network.name == "spvcnn" else {}
    if network.name == "cfanet":
        known = {"styles": [*STYLES, "photo"][: network.config["num_styles"]]}
    return {
        "network": network.name,
        "norm": network.norm,
        "inputs": list(graph.inputs),
        "as_trained": as_trained,
        "variance_floor": VARIANCE_FLOOR,
        **known,
        "layers": layers,
    }


def _factors(graph: NetworkGraph, inputs: tuple[Tensor, ...]) -> dict[str, RecordedFactors]:
    """The factors of every layer, in the order of evaluation, by its name."""
    found: dict[str, RecordedFactors] = {}

    def follow(name: str):
        return lambda layer, given, _: found.update({name: factors_of(layer, given)})

    with ExitStack() as hooks, torch.no_grad():
        for name, layer in normalization_layers(graph.network):
            hooks.callback(layer.register_forward_hook(follow(name)).remove)
        graph.network(*inputs[: len(graph.given)])
    return found


def _differences(exported: Exported) -> dict[str, list[float]]:
    """Of each output, for pictures of several sizes, from the network as trained and with all knobs turned."""
    run = open_session(exported.model + exported.layers)
    graph = exported.graph
    found: dict[str, list[float]] = {name: [] for name in graph.outputs}
    for inputs in _cases(graph):
        with torch.no_grad():
            wanted = graph(*inputs)
        got = run({name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)})
        for name, value in zip(graph.outputs, wanted, strict=True):
            size = max(float(value.abs().max()), 1e-6)
            found[name].append(float(np.abs(got[name] - value.numpy()).max()) / size)
    return found


def _cases(graph: NetworkGraph) -> Iterator[tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(1)
    for height, width in CHECKED_SIZES:
        inputs = graph.example(height, width)
        yield inputs
        if len(inputs) == len(graph.given):
            continue
        strength, blend, _, *order = inputs[len(graph.given) :]
        strength = 2 * torch.rand(strength.shape, generator=generator)
        blend = torch.rand(blend.shape, generator=generator)
        blend[:, -1] = 0  # a permutation is of one size; each is tried where interventions are
        painted = torch.rand(1, 1, 30, 40, generator=generator)
        yield (*inputs[: len(graph.given)], strength, blend, painted, *order)
