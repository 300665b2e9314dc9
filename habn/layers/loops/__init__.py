"""The layer as compiled loops, for float32 and bfloat16 on a CPU: `habn.layers.compiled` has what they compute.

Arrays: feature maps and their gradients (N, P, C) with P pixels, channels innermost, float32, or bfloat16 as its bits
in uint16, since neither NumPy nor Numba has that type. All else is float32: hidden (N, H, P), the context s (N, P), and
the table (N, 9, C), whose rows are those of `formula.TABLE`. There are at least eight channels; channels go by eights,
of which the last may begin among the eight before it.

Every loop takes `claims` and the number of its pieces, by which threads share them; see `pieces`.
"""

from habn.layers.loops.context import encode, encode_backward
from habn.layers.loops.evaluation import evaluate
from habn.layers.loops.features import measure, measure_backward, merge_pieces
from habn.layers.loops.formula import normalize, normalize_backward
from habn.layers.loops.pieces import PIECE
from habn.layers.loops.simd import WIDTH

__all__ = [
    "PIECE",
    "WIDTH",
    "encode",
    "encode_backward",
    "evaluate",
    "measure",
    "measure_backward",
    "merge_pieces",
    "normalize",
    "normalize_backward",
]
