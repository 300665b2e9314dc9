"""How a style network is to paint: in which style, how strongly, with a second style, and in whose colours."""

from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor

from habn.data.styles import PHOTO_ROW, STYLES
from habn.errors import HabnError
from habn.pixels import LUMA


class PaintingError(HabnError):
    """One sentence on a painting that cannot be made, and what to do."""


@dataclass(frozen=True)
class Painting:
    """What a style network is asked for, beside the photo.

    Every style is a row of scales and biases in each normalization layer, and so is the photograph itself
    (`PHOTO_ROW`). Styles blend, and weaken, by blending rows:

        strength * ((1 - second_share) * style + second_share * second_style) + (1 - strength) * photograph

    Attributes:
        style: one of `STYLES`.
        strength: in [0, 1]; 1 is the style as it was learned, 0 asks for the photograph back.
        second_style: one of `STYLES`, or None for none.
        second_share: of the second style in what both give, in [0, 1]; without a second style it means nothing.
        keep_colours: whether the photo's colours are laid over the painted light and shade, see `keep_colours`.

    Raises:
        PaintingError: on anything else.
    """

    style: str = STYLES[0]
    _: KW_ONLY
    strength: float = 1.0
    second_style: str | None = None
    second_share: float = 0.5
    keep_colours: bool = False

    def __post_init__(self) -> None:
        for style in (self.style, self.second_style or self.style):
            if style not in STYLES:
                raise PaintingError(f"There is no style {style!r}; choose one of {', '.join(STYLES)}.")
        for name in ("strength", "second_share"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise PaintingError(f"{name} is {value!r}; it must be a number from 0 to 1.")
        if not isinstance(self.keep_colours, bool):
            raise PaintingError(f"keep_colours is {self.keep_colours!r}; it must be True or False.")

    def row(self, num_styles: int) -> Tensor:
        """The blend that a network with so many rows is given, (1, num_styles), which sums to 1.

        Raises:
            PaintingError: on a strength below 1 where the network has no row for the photograph.
        """
        if self.strength < 1 and num_styles <= PHOTO_ROW:
            raise PaintingError(
                "This network knows paintings only and cannot give the photograph back; set the strength to 1."
            )
        second_share = self.second_share if self.second_style else 0.0
        row = torch.zeros(1, num_styles, dtype=torch.float64)
        row[0, STYLES.index(self.style)] += self.strength * (1 - second_share)
        row[0, STYLES.index(self.second_style or self.style)] += self.strength * second_share
        if self.strength < 1:
            row[0, PHOTO_ROW] = 1 - self.strength
        return row.float()

    def finish(self, painted: Tensor, photo: Tensor) -> Tensor:
        """What becomes of a network's picture: itself, or, in the photo's colours, `keep_colours` of it."""
        return keep_colours(painted, photo) if self.keep_colours else painted


def keep_colours(painted: Tensor, photo: Tensor) -> Tensor:
    """The painting's luma with the photo's chroma.

    Luminance-only transfer (Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016) in the Y'CbCr of
    ITU-R BT.601, where Cb and Cr are proportional to B - Y and R - Y: another Y under the same Cb and Cr is the
    same amount added to R, G and B. Values that leave [0, 1] are clipped, and there the chroma is not kept.

    Shape:
        painted, photo: (N, 3, H, W) float in [0, 1]; returns the same.
    """
    luma = painted.new_tensor(LUMA)[:, None, None]
    added = ((painted - photo) * luma).sum(1, keepdim=True)
    return (photo + added).clamp(0, 1)
