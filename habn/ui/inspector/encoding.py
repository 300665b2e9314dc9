"""The inspector's three binary files: a strip of all layers, a view of one layer and channel, and the classes.

All have one form, little-endian throughout:

    4 bytes    b"HABN"
    4 bytes    uint32, length of the header in bytes, a multiple of 4
    header     JSON in UTF-8, padded with spaces; "arrays" maps a name to {"dtype", "shape", "offset"}, offset in bytes
               from the end of the header
    arrays     float32, uint16 or uint8, row by row, each begun at a multiple of 4

Figures that may be NaN or infinite stand in arrays, never in the header: JSON has no word for them.

Strip, for L layers in the order of evaluation (`first` and `second` are the two networks):

    header["layers"]   L of {"name", "kinds" [first, second], "shape" [C, H, W], "dead": whether s of the second
                       network is constant, "thumbnail": [h, w]}
    strength  (L, 4)   of the second network: how far scale, bias, mean, var move over the pixels
    gates     (L, 4)   of the second network
    ranges    (L + 1, 7, 2)   lowest and highest finite value of QUANTITIES over both networks and all channels;
                       the last entry is that of the whole network
    difference_ranges  alike, of second minus first
    channel_order uint16   channels of the second network, the most adapted first, one layer after the other
    thumbnails uint8   s of the second network, one layer after the other: 0 to 254 from its lowest to its highest
                       value, 255 where it is not finite

View, for one channel; `N` is "first" or "second":

    header             {"name", "channel", "shape" [H, W], "first" and "second": {"kind", "eps"}}
    N.context N.x N.y  (H, W), or (1,) where the map has one value everywhere
    N.static N.slope   (4, C)  scale, bias, mean, var of every channel: effective = static + context * slope
    N.gates            (4,)
    N.var_floor        (C,)    the effective variance is never below it

Classes, of a segmentation:

    header             {"names", "colours": [[red, green, blue], ...], "shape" [h, w]: of the finest layer}
    labels    uint8    (h, w), the class that the second network predicts
"""

import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from habn.hooks.record import LayerRecord, find_extent, find_gaps

MAGIC = b"HABN"
FORMAT = 2
"""Counts the changes of what stands in the files, so that what an earlier version published is not taken for new."""
QUANTITIES = ("s", "scale", "bias", "mean", "var", "x", "y")
THUMBNAIL_SIDE = 64


def encode_strip(first: Sequence[LayerRecord], second: Sequence[LayerRecord], gaps: np.ndarray | None = None) -> bytes:
    """All layers of two networks at a glance, as the strip file described above.

    Args:
        first, second: what every layer did in each network.
        gaps: what `find_gaps` says of them, where it is known; it needs x and y of all layers.

    Raises:
        ValueError: if the networks do not have the same number of normalization layers, or have none.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"Two networks alike are needed; these recorded {len(first)} and {len(second)} layers.")
    thumbnails = [_thumbnail(record.context) for record in second]
    layers = [
        {
            "name": b.name,
            "kinds": [a.kind, b.kind],
            "shape": list(b.shape),
            "dead": bool(b.dead),
            "thumbnail": list(thumbnail.shape),
        }
        for a, b, thumbnail in zip(first, second, thumbnails, strict=True)
    ]
    pairs = list(zip(first, second, strict=True))
    gaps = find_gaps(first, second) if gaps is None else gaps
    ranges = np.stack([_union(np.stack([_extents(a), _extents(b)])) for a, b in pairs])
    difference_ranges = np.stack([_difference_extents(a, b, gap) for (a, b), gap in zip(pairs, gaps, strict=True)])
    arrays = {
        "strength": _float32([record.strength for record in second]),
        "gates": _float32([record.gates for record in second]),
        "ranges": _float32(np.concatenate([ranges, _union(ranges)[None]])),
        "difference_ranges": _float32(np.concatenate([difference_ranges, _union(difference_ranges)[None]])),
        "channel_order": np.concatenate([adaptation_order(record) for record in second]).astype("<u2"),
        "thumbnails": np.concatenate([thumbnail.ravel() for thumbnail in thumbnails]),
    }
    return _pack({"layers": layers}, arrays)


def encode_view(first: LayerRecord, second: LayerRecord, channel: int) -> bytes:
    """One channel of one layer of two networks, as the view file described above.

    Raises:
        ValueError: if the layers differ in shape.
    """
    if first.shape != second.shape:
        shapes = f"{first.shape} and {second.shape}"
        raise ValueError(f"Two networks alike are needed; in {second.name} their inputs differ in shape: {shapes}.")
    header = {
        "name": second.name,
        "channel": channel,
        "shape": list(second.context.shape),
        "first": {"kind": first.kind, "eps": float(first.eps)},
        "second": {"kind": second.kind, "eps": float(second.eps)},
    }
    arrays = {}
    for network, record in (("first", first), ("second", second)):
        arrays[f"{network}.context"] = _plane(record.context)
        arrays[f"{network}.x"], arrays[f"{network}.y"] = (_plane(values[channel]) for values in record.maps())
        for factor in ("static", "slope", "gates", "var_floor"):
            arrays[f"{network}.{factor}"] = _float32(getattr(record, factor))
    return _pack(header, arrays)


def encode_classes(labels: np.ndarray, shape: tuple[int, int], names: Sequence[str], palette: np.ndarray) -> bytes:
    """The predicted classes at a layer's resolution, as the classes file described above.

    Args:
        labels: (H, W) uint8, of the picture.
        shape: (h, w) of the finest layer; each of its pixels gets the class at its centre.
        names: of the classes.
        palette: (K, 3) uint8, the colour of each class.
    """
    rows, columns = (((np.arange(n) + 0.5) * full / n).astype(int) for n, full in zip(shape, labels.shape, strict=True))
    header = {"names": list(names), "colours": palette.tolist(), "shape": list(shape)}
    return _pack(header, {"labels": np.ascontiguousarray(labels[np.ix_(rows, columns)], np.uint8)})


def most_adapted_layer(records: Sequence[LayerRecord]) -> int:
    """Index of the layer whose four strengths together (their Euclidean norm) are greatest."""
    return int(np.argmax([np.linalg.norm(np.nan_to_num(record.strength)) for record in records]))


def most_adapted_channel(record: LayerRecord) -> int:
    """Index of the channel whose output the context moves most."""
    return int(adaptation_order(record)[0])


def adaptation_order(record: LayerRecord) -> np.ndarray:
    """Indices (C,) of the channels, from the one whose output the context moves most to the one it moves least.

    To first order s moves y by s * (shift + stretch * x), for an x normalized to mean 0 and variance 1, with
    shift = slope_bias - scale / sigma * slope_mean and stretch = slope_scale - scale * slope_var / (2 sigma^2).
    """
    scale, _, _, var = record.static
    slope_scale, slope_bias, slope_mean, slope_var = record.slope
    var = np.maximum(var + record.eps, np.finfo(np.float32).tiny)
    shift = slope_bias - scale / np.sqrt(var) * slope_mean
    stretch = slope_scale - scale * slope_var / (2 * var)
    return np.argsort(-np.nan_to_num(np.hypot(shift, stretch)), kind="stable")


def _extents(record: LayerRecord) -> np.ndarray:
    """(7, 2): lowest and highest finite value of each of QUANTITIES over all channels and pixels of a layer."""
    parameters = map(find_extent, _parameter_ends(record))
    return np.array([find_extent(record.context), *parameters, *record.extents])


def _difference_extents(first: LayerRecord, second: LayerRecord, gap: np.ndarray) -> np.ndarray:
    """(7, 2), alike, of second minus first; exact where one of the contexts is flat, as BN's is, else wider."""
    ends = np.sort(_parameter_ends(second)) - np.sort(_parameter_ends(first))[..., ::-1]
    return np.array([find_extent(second.context - first.context), *map(find_extent, ends), *gap])


def _parameter_ends(record: LayerRecord) -> np.ndarray:
    """(4, C, 2): each channel's effective parameters where the context is lowest and where it is highest.

    An effective parameter is monotone in s, so these are its ends exactly, without a map being drawn.
    """
    s = np.nan_to_num(np.array(find_extent(record.context), np.float32))
    ends = record.static[..., None] + record.slope[..., None] * s
    ends[3] = np.maximum(ends[3], record.var_floor[:, None])
    return ends


def _union(extents: np.ndarray) -> np.ndarray:
    # fmin and fmax pass over NaN, the extent of something without one finite value.
    return np.stack([np.fmin.reduce(extents[..., 0]), np.fmax.reduce(extents[..., 1])], axis=-1)


def _thumbnail(context: np.ndarray) -> np.ndarray:
    height, width = context.shape
    step = min(-(-max(height, width) // THUMBNAIL_SIDE), height, width)
    rows, columns = height // step, width // step
    small = context[: rows * step, : columns * step].reshape(rows, step, columns, step).mean(axis=(1, 3))
    low, high = find_extent(small)
    finite = np.isfinite(small)
    level = (np.where(finite, small, 0) - low) / (high - low) if high > low else np.zeros_like(small)
    return np.where(finite, np.rint(level * 254), 255).astype(np.uint8)


def _plane(values: np.ndarray) -> np.ndarray:
    values = _float32(values)
    return values[:1, :1].ravel() if (values == values[0, 0]).all() else values


def _float32(values: np.ndarray | Sequence) -> np.ndarray:
    return np.ascontiguousarray(values, dtype="<f4")


def _pack(header: Mapping, arrays: Mapping[str, np.ndarray]) -> bytes:
    entries, chunks, offset = {}, [], 0
    for name, array in arrays.items():
        entries[name] = {"dtype": array.dtype.name, "shape": list(array.shape), "offset": offset}
        chunks.append(array.tobytes() + bytes(-array.nbytes % 4))
        offset += len(chunks[-1])
    text = json.dumps({**header, "arrays": entries}, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([MAGIC, struct.pack("<I", len(text)), text, *chunks])
