"""Records of what every normalization layer did to each picture.

A record holds factors and not products: each parameter of a pixel is ``static + context * slope``, so the context
map and a few numbers per channel stand for the four full-size maps of every channel. Batch normalization is the
same record with slope 0. x and y are a hundred times as large as all factors together, so they may be made again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Maps(NamedTuple):
    """What came into a layer and what normalization made of it, both (C, H, W)."""

    x: np.ndarray
    y: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.x.nbytes + self.y.nbytes


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LayerRecord:
    """What one normalization layer did to one picture. All arrays are float32.

    Attributes:
        name: where the layer is in its network, such as "at_eighth.0.first.norm".
        picture: which picture of the batch it was.
        kind: "bn", "habn", "habn-plus", "in" or "film".
        context: the map *s*, (H, W), or (L,) or (D, H, W) as the layer's input is; zeros where the layer has none.
        static: scale, bias, mean, var of each channel before adaptation, (4, C).
        slope: what one unit of context adds to each, (4, C): gate * delta in absolute units.
        delta: as learned, (4,) or (4, C). Zeros where the layer has none.
        gates: of scale, bias, mean, var, (4,), in [0, 1]. Zeros where the layer has none.
        var_floor: the lowest value that an adjusted variance may take, (C,).
        eps: added to the variance.
        shape: (C, H, W) of x and of y.
        extents: lowest and highest finite value of x and of y, (2, 2).
        maps: gives x and y. A recording holds them; a result of the engine makes them again when they are asked for.
    """

    name: str
    picture: int
    kind: str
    context: np.ndarray
    static: np.ndarray
    slope: np.ndarray
    delta: np.ndarray
    gates: np.ndarray
    var_floor: np.ndarray
    eps: float
    shape: tuple[int, ...]
    extents: np.ndarray
    maps: Callable[[], Maps]

    def __repr__(self) -> str:
        return f"<{self.kind} layer {self.name} on picture {self.picture}, {' x '.join(map(str, self.shape))}>"

    @property
    def x(self) -> np.ndarray:
        """What came in, (C, H, W)."""
        return self.maps().x

    @property
    def y(self) -> np.ndarray:
        """What normalization made of it, (C, H, W), before anything that a derived layer does afterwards."""
        return self.maps().y

    @property
    def nbytes(self) -> int:
        """What its factors take in memory, in bytes."""
        arrays = (self.context, self.static, self.slope, self.delta, self.gates, self.var_floor, self.extents)
        return sum(array.nbytes for array in arrays)

    def effective(self, channel: int) -> np.ndarray:
        """Scale, bias, mean and var at each pixel of a channel, (4, H, W)."""
        maps = np.add.outer(self.static[:, channel], np.zeros_like(self.context))
        maps += np.multiply.outer(self.slope[:, channel], self.context)
        maps[3] = np.maximum(maps[3], self.var_floor[channel])
        return maps

    def rebuild(self) -> np.ndarray:
        """y from x and the factors, (C, H, W). That it equals `y` is what makes the pictures of a record true."""
        x = self.x
        y = np.empty_like(x)
        for channel in range(len(x)):
            scale, bias, mean, var = self.effective(channel)
            y[channel] = (x[channel] - mean) / np.sqrt(var + np.float32(self.eps)) * scale + bias
        return y

    @property
    def strength(self) -> np.ndarray:
        """How much each parameter is adapted, (4,): deviation of context * slope, relative to the static parameter.

        The deviation is over pixels; both are root mean squares over channels.
        """
        adapted = self.context.std() * np.sqrt(np.square(self.slope).mean(1))
        return adapted / (np.sqrt(np.square(self.static).mean(1)) + 1e-12)

    @property
    def dead(self) -> bool:
        """Whether the context is one value everywhere, so that the layer does not adapt to places."""
        return bool(np.ptp(self.context) == 0)


def find_extent(values: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest finite value; NaN twice where there is none."""
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if finite.size else (np.nan, np.nan)
    return float(low), float(high)


def find_gaps(first: Sequence[LayerRecord], second: Sequence[LayerRecord]) -> np.ndarray:
    """Lowest and highest finite value of second minus first, of x and of y in each layer, (L, 2, 2) float32."""
    gaps = [
        [find_extent(there - here) for here, there in zip(a.maps(), b.maps(), strict=True)]
        for a, b in zip(first, second, strict=True)
    ]
    return np.array(gaps, np.float32).reshape(-1, 2, 2)
