"""Pictures that are drawn when they are asked for, a few neighbours at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from wganx import SampleFormat, Split
from wganx.data import DecodedItems
from wganx_image.datasets.drawing import canvas, traits
from wganx_image.datasets.drawing.traits import Shares, Traits, draw_traits
from wganx_image.datasets.pictures import stored_picture

_TOGETHER_PIXELS = 32 * 64 * 64
"""So many pixels are drawn at once: most of what a picture takes alone is the same for all."""
_KEPT_BYTES = 2**28
"""So much of what was drawn is kept for whoever reads in another order: one picture costs as much as its group."""
_STREAM: Mapping[Split, int] = {"train": 0, "heldout": 1}


class DrawnItems(DecodedItems):
    """Items of a picture uint8 ``(3, size, size)`` and one label for each of the chosen traits.

    What the seed, the split and its number fix is drawn; so the splits share nothing, and more of them change none.
    """

    def __init__(
        self,
        draw: Callable[[Traits, int], Tensor],
        shares: Mapping[str, Shares],
        chances: int,
        *,
        count: int,
        size: int,
        labels: Sequence[str],
        split: Split,
        seed: int,
    ) -> None:
        """
        Args:
            draw: ``(traits, size) -> uint8 (N, 3, size, size)``, importable by name.
            shares: of all labels there are.
            chances: how many numbers `draw` takes for a picture.
            count: pictures to learn from; a quarter more are held out.
            size: width and height in pixels.
            labels: those that an item has.
            split, seed: what else decides about the pictures.
        """
        self.draw, self.shares, self.chances, self.size = draw, shares, chances, size
        self._stream = (seed, _STREAM[split])
        self._count = count if split == "train" else max(1, count // 4)
        self._together = max(1, min(256, _TOGETHER_PIXELS // size**2))
        self._groups_kept = max(8, _KEPT_BYTES // (self._together * 3 * size**2))
        self._restart()
        formats = {"sample": stored_picture(3, size)}
        formats |= {name: SampleFormat.label(tuple(shares[name])) for name in labels}
        told = [repr({name: dict(share_of) for name, share_of in shares.items()}), size, count, *labels]
        # Not the file of `draw`: what it draws with decides about the pictures as much.
        super().__init__(
            formats, root=Path(__file__).parent, recipe=(draw, canvas.Canvas, traits.Chance, *told, *self._stream)
        )

    def _restart(self) -> None:
        self._drawn: OrderedDict[int, list[dict[str, Tensor]]] = OrderedDict()
        self._drawing = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_drawn", "_drawing")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._restart()

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        return f"picture {index}"

    def stamps(self) -> Iterable[str]:
        """Nothing but what they are made by decides about the pictures."""
        return ()

    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        group, place = divmod(index, self._together)
        with self._drawing:
            if group not in self._drawn:
                begin = group * self._together
                # Whole groups, so that a picture is the same to the last bit however many there are.
                self._drawn[group] = self._items(range(begin, begin + self._together))
                if len(self._drawn) > self._groups_kept:
                    self._drawn.popitem(last=False)
            return {name: value.clone() for name, value in self._drawn[group][place].items()}

    def traits(self, indices: Sequence[int]) -> Traits:
        """What some pictures show."""
        return draw_traits(self.shares, self.chances, indices, self._stream)

    def parallel(self, indices: Sequence[int], **labels: str | Tensor) -> Tensor:
        """Some pictures as they would be with other labels, all else as it is: uint8 ``(N, 3, size, size)``.

        Args:
            indices: of the pictures.
            labels: a new class for all by its label (``glasses="dark"``), or the new indices ``(N,)``.

        Raises:
            KeyError, ValueError: there is no such label, or no such class of it.
        """
        return self.draw(self.traits(indices).but(**labels), self.size)

    def _items(self, indices: Sequence[int]) -> list[dict[str, Tensor]]:
        shown = self.traits(indices)
        columns = {"sample": self.draw(shown, self.size)}
        columns |= {name: shown.labels[name] for name, format in self.formats.items() if format.is_label}
        return [{name: column[row] for name, column in columns.items()} for row in range(len(indices))]
