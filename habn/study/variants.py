"""What is compared: normalizations, and settings of HABN+."""

from dataclasses import KW_ONLY, dataclass, field

from habn.intervention import Intervention
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
        own_share: how far toward the picture's own statistics HABN+ starts where *s* = 1 and gates are open; those of a
            search start half open, so that half of it is seen. Where it is not 0, HABN+ has a head start.
        own_parts: names of the network's parts that have it; the others start as batch normalization.
    """

    norm: str
    setting: str = ""
    _: KW_ONLY
    options: dict = field(default_factory=dict)
    search: str | None = None
    least_gate: float = 0.5
    own_share: float = 0.0
    own_parts: tuple[str, ...] = ()

    @property
    def identity(self) -> dict[str, str]:
        """Norm and setting, by which a study's rows are known."""
        return {"norm": self.norm, "setting": self.setting}


SHALLOW = ("stem", "to_quarter", "at_quarter")
"""The parts of SPVCNN above an eighth of the resolution: what they normalize still looks like the picture's light."""
EVERYWHERE = (*SHALLOW, "to_eighth", "at_eighth", "up_quarter", "up_half")
"""All of SPVCNN that has normalization layers."""


def _plus(
    setting: str = "", share: float = 0.5, parts: tuple[str, ...] = SHALLOW, search: str | None = "joint", **options
):
    return Variant("habn-plus", setting, options=options, search=search, own_share=share, own_parts=parts)


def _everywhere(setting: str, share: float = 0.5, search: str | None = "joint", **options):
    return _plus(setting, share, EVERYWHERE, search, **options)


VARIANTS: dict[str, Variant] = {
    "bn": Variant("bn"),
    "in": Variant("in"),
    "film": Variant("film"),
    "habn": Variant("habn"),
    "habn-plus": _plus(),
    "plus-from-bn": _plus("starts as BN", share=0.0),
    "plus-everywhere-whole": _everywhere("own statistics in all layers, without a search", share=1.0, search=None),
    "plus-everywhere": _everywhere("head start in all layers"),
    # Each of these changes one choice of plus-everywhere, the last two one and two of plus-from-bn.
    "everywhere-no-search": _everywhere("without a search", share=0.25, search=None),  # gates start half open
    "everywhere-bilevel": _everywhere("bilevel search, a fifth of train held out for it", search="bilevel"),
    "everywhere-layer": _everywhere("one delta for all channels", granularity="layer"),
    "everywhere-distribution": _everywhere("s sums to H W", context_normalization="distribution"),
    "everywhere-zscore": _everywhere("s of mean 0 and variance 1", context_normalization="zscore"),
    "sigmoid": _everywhere("s by a sigmoid, no search", share=0.25, search=None, context_normalization="sigmoid"),
    "sigmoid-half": _everywhere("s by a sigmoid, no search, half-way", share=0.5, search=None, context_normalization="sigmoid"),
    "sigmoid-search": _everywhere("s by a sigmoid", context_normalization="sigmoid"),
    "pooled": _everywhere("s of a quarter, by a sigmoid, no search", share=0.25, search=None, context_normalization="sigmoid-pooled"),
    "two-maps": _everywhere("two maps by a sigmoid, no search", share=0.25, search=None, context_normalization="sigmoid", maps=2),
    "two-maps-minmax": _everywhere("two maps, no search", share=0.25, search=None, maps=2),
    "local": _everywhere("local statistics, s by a sigmoid, no search", share=0.25, search=None, context_normalization="sigmoid", statistics="local"),
    "local-minmax": _everywhere("local statistics, no search", share=0.25, search=None, statistics="local"),
    "habn-sigmoid": Variant("habn", "s by a sigmoid", options={"context_normalization": "sigmoid"}),
    "plus-additive": _plus("no own statistics", share=0.0, statistics="static", units="relative"),
    "plus-additive-absolute": _plus("no own statistics, absolute units", share=0.0, statistics="static"),
}
"""By the name of their folder in a study. The first five are normalizations, HABN+ by the recipe that is shipped."""

STYLE_PARTS = ("reduce1", "reduce2", "reduce3", "blocks", "aggregate2", "aggregate1")
"""All of CFA-Net that has normalization layers."""
STYLE_OWN_SHARE = 2.0
"""HABN+ starts with the picture's own statistics in all layers of CFA-Net, as IN has them: twice the whole way, since
the gates of a search start half open."""

STYLE_VARIANTS: dict[str, Variant] = {
    "bn": Variant("bn"),
    "in": Variant("in"),
    "adain": Variant("adain"),
    "habn": Variant("habn"),
    "habn-plus": Variant(
        "habn-plus", search="joint", least_gate=LEAST_GATE, own_share=STYLE_OWN_SHARE, own_parts=STYLE_PARTS
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
