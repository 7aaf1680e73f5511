"""What all parts of a face need to know of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame
from wganx_image.datasets.drawing.traits import Chance, Traits

_SKIN = {
    "light": (0.95, 0.79, 0.69), "tan": (0.86, 0.66, 0.51), "brown": (0.66, 0.45, 0.32), "dark": (0.42, 0.28, 0.21),
}  # fmt: skip
_HAIR = {
    "black": (0.10, 0.09, 0.10), "brown": (0.36, 0.22, 0.13), "blond": (0.87, 0.71, 0.40), "red": (0.70, 0.28, 0.11),
    "grey": (0.72, 0.72, 0.74),
}  # fmt: skip


@dataclass(frozen=True)
class Head:
    """Heads, with what chance made of them.

    Attributes:
        frame: its middle is between the eyes, its chin near v = 0.9.
        wide: of the skull, against the usual.
        jaw: half width of the jaw.
        chin: how far down the chin is.
        skin_N3, shade_N3, hair_N3: colours; the shade is skin in the shadow.
    """

    frame: Frame
    wide: Tensor
    jaw: Tensor
    chin: Tensor
    skin_N3: Tensor
    shade_N3: Tensor
    hair_N3: Tensor

    @classmethod
    def drawn(cls, traits: Traits, chance: Chance) -> Head:
        """Heads near the middle of the picture, a little turned."""
        frame = Frame.around(
            chance.about(0, 0.1), chance.about(-0.02, 0.05), chance.about(0.74, 0.07), turn=chance.about(0, 0.12)
        )
        skin_N3 = chance.vary(traits.by("skin", _SKIN), 0.05)
        return cls(
            frame=frame,
            wide=chance.about(1, 0.08),
            jaw=chance.about(0.48, 0.07),
            chin=chance.about(0.88, 0.07),
            skin_N3=skin_N3,
            shade_N3=skin_N3 * torch.tensor([0.78, 0.70, 0.68]),
            hair_N3=chance.vary(traits.by("hair", _HAIR), 0.05),
        )

    def of(self, rows: Tensor, frame: Frame) -> Head:
        """Those of some of the pictures, in the frame of a window."""
        own = {name: value[rows] for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Head(frame=frame, **own)

    def outline(self, canvas: Canvas, larger: float = 0.0) -> Tensor:
        """The depth within skull and jaw."""
        skull = canvas.ellipse(self.frame, 0.0, -0.12, 0.6 * self.wide + larger, 0.72 + larger)
        jaw = canvas.ellipse(self.frame, 0.0, self.chin - 0.62, self.jaw + larger, 0.62 + larger)
        return torch.maximum(skull, jaw)
