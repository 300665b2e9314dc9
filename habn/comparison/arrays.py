"""What is shown, as files for other programs: raw arrays, and a program that prints the page's numbers.

Nothing here runs a network: a `View` points into a result that the engine has.
"""

import os
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np

from habn.comparison.painting import Painting
from habn.comparison.request import Result
from habn.hooks.record import LayerRecord

PER_NETWORK = ("context", "static", "slope", "delta", "gates", "var_floor", "x", "y")


@dataclass(frozen=True, eq=False)
class View:
    """One pixel of one channel of one layer of a result.

    Attributes:
        result: of the engine.
        layer: index in the order of evaluation.
        channel: of that layer.
        pixel: (row, column) in that layer's maps.
    """

    result: Result
    layer: int
    channel: int
    pixel: tuple[int, int]

    @property
    def records(self) -> tuple[LayerRecord, LayerRecord]:
        """What the layer did in the first and the second network."""
        return self.result.first.records[self.layer], self.result.second.records[self.layer]


SCHEMA = """\
Arrays of one comparison of HABN Explorer. `numpy.load(path)` opens them; nothing is pickled.

pair, style, layer    names; style is empty for segmentation
strength, second_style, second_share, keep_colours  as in `habn.Painting`, of a style pair alone; no second style is ""
image                 (H, W, 3) uint8   the photo as the networks saw it, RGB
difference            (H, W) float32    1 where the classes differ, or the mean absolute difference of the RGB in [0, 1]

and for each N of first and second network:

N_label, N_checkpoint, N_kind           names; the kind is that of the layer
N_picture             (H, W, 3) uint8   the answer: classes in colour, or the stylized picture
N_labels              (H, W) uint8      the classes; only of a segmentation
N_context             (h, w)            s, in the layer's own resolution; zeros where the layer has none
N_static              (4, C)            scale, bias, mean, var of each channel before adaptation
N_slope               (4, C)            what one unit of s adds to each: gate * delta in absolute units
N_delta               (4,) or (4, C)    as learned
N_gates               (4,)              in [0, 1]
N_var_floor           (C,)              the lowest value that an adapted variance may take
N_eps                 ()                added to the variance
N_x, N_y              (C, h, w)         what came into the layer and what went out

float32 where nothing else is said. For channel c and pixel i, j:

    scale, bias, mean, var = N_static[:, c] + N_context[i, j] * N_slope[:, c];  var = max(var, N_var_floor[c])
    N_y[c, i, j] = (N_x[c, i, j] - mean) / sqrt(var + N_eps) * scale + bias
"""


def save_arrays(view: View, file: str | os.PathLike | BinaryIO) -> None:
    """Write what `collect_arrays` gives as NPZ."""
    np.savez_compressed(file, **collect_arrays(view))


def collect_arrays(view: View) -> dict[str, Any]:
    """A view's photo, both answers, and all channels of the layer, and what is what: `SCHEMA`."""
    result = view.result
    arrays: dict[str, Any] = {
        "schema": SCHEMA,
        "pair": result.pair,
        **_settings(result.painting),
        "layer": view.records[1].name,
        "image": result.image,
        "difference": result.difference,
    }
    for name, output, record in zip(("first", "second"), (result.first, result.second), view.records, strict=True):
        arrays |= {f"{name}_label": output.label, f"{name}_checkpoint": output.checkpoint, f"{name}_kind": record.kind}
        arrays[f"{name}_picture"] = output.picture
        if output.labels is not None:
            arrays[f"{name}_labels"] = output.labels
        arrays |= {f"{name}_{factor}": np.asarray(getattr(record, factor)) for factor in PER_NETWORK}
        arrays[f"{name}_eps"] = np.float32(record.eps)
    return arrays


def write_program(view: View, example: str | None) -> str:
    """A Python program that runs both networks on a photo and prints the numbers of the view's pixel.

    Args:
        view: what is shown.
        example: the name of the example that is shown; without one the program asks for the photo's path.
    """
    result = view.result
    painting = "" if result.painting is None else f", painting={result.painting!r}"
    return PROGRAM.format(
        names="Request, run" if result.painting is None else "Painting, Request, run",
        name=view.records[1].name,
        photo=ASK_FOR_PHOTO if example is None else f"PATHS[{example!r}]",
        imports="import sys\nfrom pathlib import Path\n" if example is None else "",
        more="" if example is None else "from habn.comparison.examples import PATHS\n",
        request=f"photo, pair={result.pair!r}{painting}",
        layer=view.layer,
        channel=view.channel,
        row=view.pixel[0],
        column=view.pixel[1],
    )


def _settings(painting: Painting | None) -> dict[str, str | float | bool]:
    if painting is None:
        return {"style": ""}
    return {key: "" if value is None else value for key, value in asdict(painting).items()}


ASK_FOR_PHOTO = """Path(*sys.argv[1:2])
if not photo.is_file():
    sys.exit("Name the photo that you had uploaded: python PROGRAM PHOTO")"""

PROGRAM = """\
# One pixel of layer {name}, as HABN Explorer shows it. Run this where habn is installed, or in the project's folder.
{imports}from math import sqrt

from habn import {names}
{more}
photo = {photo}
result = run(Request({request}))
layer, channel, row, column = {layer}, {channel}, {row}, {column}
for output in (result.first, result.second):
    record = output.records[layer]
    x, y = record.x[channel, row, column], record.y[channel, row, column]
    scale, bias, mean, var = record.effective(channel)[:, row, column]
    print(f"{{output.label}}: s = {{record.context[row, column]:.4g}}, x = {{x:.4g}}")
    print(f"  scale {{scale:.4g}}, bias {{bias:.4g}}, mean {{mean:.4g}}, var {{var:.4g}}, eps {{record.eps:.4g}}")
    print(f"  (x - mean) / sqrt(var + eps) * scale + bias = {{(x - mean) / sqrt(var + record.eps) * scale + bias:.4g}}")
    print(f"  y = {{y:.4g}}")
"""
