"""What is compared: normalizations, and settings of HABN+."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from habn.hooks.intervention import Intervention
from habn.training.style import LEAST_GATE


@dataclass(frozen=True)
class Variant:
    """A normalization and how it is set up.

    Attributes:
        norm: a name that `habn.networks.build_network` knows.
        setting: what differs from the norm's own recipe, in words for a table; empty for the recipe itself.
        options: keyword arguments of the normalization's class.
        search: "joint" or "bilevel" to learn gates; None for gates of 1.
        least_gate: those of a search that are less open at its end are closed.
        head_start: how far toward the picture's own statistics HABN+ starts where *s* = 1 and gates are open; those
            of a search start half open, so that half of it is seen. 0 is none.
        head_start_parts: names of the network's parts that have it; the others start as batch normalization.
    """

    norm: str
    setting: str = ""
    _: KW_ONLY
    options: dict = field(default_factory=dict)
    search: str | None = None
    least_gate: float = 0.5
    head_start: float = 0.0
    head_start_parts: tuple[str, ...] = ()

    def conditions(self) -> dict[str, Any]:
        """What a run of it depends on, which the words of a table are not."""
        learned = {key: getattr(self, key) for key in ("norm", "options", "search", "least_gate")}
        return learned | self.describe_head_start()

    def describe_head_start(self) -> dict[str, Any]:
        """The head start under the names that conditions.json and config.json have for it."""
        return {"own_share": self.head_start, "own_parts": self.head_start_parts}


SHALLOW = ("stem", "to_quarter", "at_quarter")
"""The parts of SPVCNN above an eighth of the resolution: what they normalize still looks like the picture's light."""
EVERYWHERE = (*SHALLOW, "to_eighth", "at_eighth", "up_quarter", "up_half")
"""All of SPVCNN that has normalization layers."""


def _plus(
    setting: str = "", share: float = 0.5, parts: tuple[str, ...] = SHALLOW, search: str | None = "joint", **options
):
    return Variant("habn-plus", setting, options=options, search=search, head_start=share, head_start_parts=parts)


def _everywhere(setting: str = "", share: float = 0.5, search: str | None = "joint", **options):
    return _plus(setting, share, EVERYWHERE, search, **options)


VARIANTS: dict[str, Variant] = {
    "bn": Variant("bn"),
    "in": Variant("in"),
    "film": Variant("film"),
    "habn": Variant("habn"),
    "habn-plus": _everywhere(share=0.25, search=None, context_normalization="sigmoid"),
    "plus-shallow": _plus("s from min to max, head start in shallow layers, a search"),
    "plus-from-bn": _plus("starts as BN", share=0.0),
    "plus-everywhere-whole": _everywhere("own statistics in all layers, without a search", share=1.0, search=None),
    "plus-everywhere": _everywhere("head start in all layers"),
    # Each of these changes one choice of plus-everywhere, the last two one and two of plus-from-bn.
    "everywhere-no-search": _everywhere("without a search", share=0.25, search=None),  # gates start half open
    "everywhere-bilevel": _everywhere("bilevel search, a fifth of train held out for it", search="bilevel"),
    "everywhere-layer": _everywhere("one delta for all channels", granularity="layer"),
    "everywhere-distribution": _everywhere("s sums to H W", context_normalization="distribution"),
    "everywhere-zscore": _everywhere("s of mean 0 and variance 1", context_normalization="zscore"),
    "plus-additive": _plus("no own statistics", share=0.0, statistics="static", units="relative"),
    "plus-additive-absolute": _plus("no own statistics, absolute units", share=0.0, statistics="static"),
}
"""By the name of their folder in a study. The first five are normalizations, HABN+ by the recipe that is shipped."""

STYLE_PARTS = ("reduce1", "reduce2", "reduce3", "blocks", "aggregate2", "aggregate1")
"""All of CFA-Net that has normalization layers."""
STYLE_HEAD_START = 2.0
"""HABN+ starts with the picture's own statistics in all layers of CFA-Net, as IN has them: twice the whole way, since
the gates of a search start half open."""

STYLE_VARIANTS: dict[str, Variant] = {
    "bn": Variant("bn"),
    "in": Variant("in"),
    "adain": Variant("adain"),
    "habn": Variant("habn"),
    "habn-plus": Variant(
        "habn-plus", search="joint", least_gate=LEAST_GATE, head_start=STYLE_HEAD_START, head_start_parts=STYLE_PARTS
    ),
}
"""As VARIANTS, of a study of style transfer."""

_ONLY = {
    name: tuple(float(k == which) for k in range(4)) for which, name in enumerate(("scale", "bias", "mean", "variance"))
}

ABLATIONS: dict[str, Intervention] = {
    "": Intervention(),
    "delta = 0": Intervention(strength=(0.0, 0.0, 0.0, 0.0)),
    "s is its mean": Intervention(context="mean"),
    "s shuffled over pixels": Intervention(context="shuffled"),
    "s inverted": Intervention(context="inverted"),
    **{f"{name} alone": Intervention(strength=only) for name, only in _ONLY.items()},
    **{f"without {name}": Intervention(strength=tuple(1 - k for k in only)) for name, only in _ONLY.items()},
    "scale and bias alone": Intervention(strength=(1.0, 1.0, 0.0, 0.0)),
    "mean and variance alone": Intervention(strength=(0.0, 0.0, 1.0, 1.0)),
}
"""Changes to the adaptation of a trained network at test time, by the words of the table; the first is none."""

SOFT_GATES = "gates not yet made hard"
"""The last row of the table, of a variant with a search: the network before `discretize`."""
