"""A look at some pictures of a folder before they are learnt from: their sizes, and how many bits their values use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wganx.data import FileTree
from wganx_image.datasets.pictures import ELONGATED, ORIENTATION, decode, is_turned, is_wide, open_picture

_LOOKED_AT = 64
_LOADED = 16
_DECODED, _THUMBNAIL = 48, 16
_MOST_PIXELS = 2**26  # of a picture that is decoded in less than a second
_BITS = (8, 10, 12, 14, 16)


@dataclass(frozen=True)
class Look:
    """What some pictures of a folder are like.

    Attributes:
        bits: how many bits the values in 16-bit files use; 16 where there are no such files.
        details: facts, a sentence each.
        remarks: what may not be meant, a sentence each.
        remarks_on_bits: those on how 16-bit files are read.
    """

    bits: int = 16
    details: Sequence[str] = ()
    remarks: Sequence[str] = ()
    remarks_on_bits: Sequence[str] = ()


def look(tree: FileTree, size: int, crop: str = "square") -> Look:
    """Reads the headers of up to 64 evenly spaced pictures, whatever their split, and the values of a few of 16 bit.

    What cannot be read is left to whoever reads it all.

    Args:
        tree: the folder or archive.
        size: the width and height that pictures are to be brought to.
        crop: ``square`` or ``whole``, as of `FolderConfig`.
    """
    seen = headers(tree)
    if not seen.sizes:
        return Look()
    bits, on_bits = _bits(tree, seen.wide)
    return Look(bits, [_sizes(seen.sizes, seen.turned)], _extremes(seen.sizes, size, crop), on_bits)


@dataclass(frozen=True)
class Headers:
    """What the headers of some pictures say.

    Attributes:
        sizes: width and height, as they are to be looked at.
        wide: paths of those of 16 bit.
        turned: how many a camera noted to be turned.
    """

    sizes: Sequence[tuple[int, int]]
    wide: Sequence[str]
    turned: int


def headers(tree: FileTree) -> Headers:
    """Of up to 64 evenly spaced pictures; those that cannot be read are left out."""
    sizes: list[tuple[int, int]] = []
    wide: list[str] = []
    turned = 0
    for path in _spaced(tree.paths, _LOOKED_AT):
        try:
            with tree.open(path) as source, open_picture(source, path) as picture:
                on_its_side = picture.getexif().get(ORIENTATION, 1) > 4 if is_turned(picture) else False
                sizes.append(picture.size[::-1] if on_its_side else picture.size)
                turned += is_turned(picture)
                if is_wide(picture):
                    wide.append(path)
        except Exception:  # it is named when it is decoded
            continue
    return Headers(sizes, wide, turned)


@dataclass(frozen=True)
class Thumbnails:
    """Some pictures at 16 px.

    Attributes:
        pictures: values in 0 .. 255, ``(N, 16, 16, 3)``.
    """

    pictures: NDArray[np.float64]

    @property
    def grey(self) -> bool:
        """Whether no picture has a colour; a scanner's own noise of a step or two is none."""
        spread = self.pictures.max(axis=3) - self.pictures.min(axis=3)
        return bool(len(spread)) and float(spread.max()) <= 2

    @property
    def two_tones(self) -> float:
        """Share of nearly black and nearly white among all pixels."""
        light = self.pictures.mean(axis=3)
        return float(((light < 16) | (light > 239)).mean())

    @property
    def mirrored(self) -> float:
        """By how much left and right differ, over what chance alone would make of pictures without left and right.

        With ``d`` a picture less its mirror image, ``N |mean d|^2 / trace(cov d)``: 1 on average where the mirror image
        of every picture is as likely as itself.
        """
        light = self.pictures.mean(axis=3)
        differences = light - light[:, :, ::-1]
        middle = differences.mean(axis=0)
        spread = float(((differences - middle) ** 2).sum()) / max(len(light) - 1, 1)
        # Pictures that are all the same have none of their own but rounding, which is a step of each pixel.
        return len(light) * float((middle**2).sum()) / max(spread, float(middle.size))


def thumbnails(tree: FileTree) -> Thumbnails:
    """Of up to 48 evenly spaced pictures; those that cannot be read, and very large ones among others, are left out."""
    found = []
    for path in _light(tree, _spaced(tree.paths, _DECODED)):
        try:
            small = decode(tree.read(path), path, size=_THUMBNAIL, channels=3)["sample"]
        except Exception:  # it is named when it is decoded for the training
            continue
        found.append(small.permute(1, 2, 0).numpy().astype(np.float64))
    return Thumbnails(np.stack(found) if found else np.zeros((0, _THUMBNAIL, _THUMBNAIL, 3)))


def _sizes(sizes: Sequence[tuple[int, int]], turned: int) -> str:
    small, large = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
    span = _by(small) if small == large else f"from {_by(small)} to {_by(large)}"
    how = f"; {turned:,} of them turned as the camera noted" if turned else ""
    return f"{len(sizes):,} picture{'s' * (len(sizes) != 1)} looked at: {span} px{how}"


def _extremes(sizes: Sequence[tuple[int, int]], size: int, crop: str) -> list[str]:
    told = []
    if small := [found for found in sizes if min(found) < size]:
        told.append(
            f"{len(small):,} of {len(sizes):,} pictures looked at are smaller than {size} x {size} px, one of them "
            f"{_by(min(small, key=min))}, and are enlarged, which shows; take a smaller dataset.size, or leave them out"
        )
    if crop == "square" and (long := [found for found in sizes if max(found) > ELONGATED * min(found)]):
        told.append(
            f"{len(long):,} of {len(sizes):,} pictures looked at are more than {ELONGATED} times as long as wide, one "
            f"of them {_by(max(long, key=lambda found: max(found) / min(found)))}, and only the square in their "
            "middle is used; set dataset.crop=whole, or cut them yourself, where that is not meant"
        )
    return told


def _bits(tree: FileTree, paths: Sequence[str]) -> tuple[int, list[str]]:
    """The bits that 16-bit pictures use, and what there is to say about it."""
    brightest, dark, count = 0, 0, 0
    looked_at = _light(tree, _spaced(paths, _LOADED))
    for path in looked_at:
        try:
            with tree.open(path) as source, open_picture(source, path) as picture:
                values = np.asarray(picture)
                grey = picture.mode.startswith("I")
        except Exception:  # it is named when it is decoded
            continue
        if grey:
            brightest, count = max(brightest, int(values.max())), count + 1
        else:
            # Pillow hands out the upper 8 of the 16 bits of a colour.
            dark += int(values[..., :3].max()) < 2 ** (_BITS[-2] - 8)
    told = []
    bits = next((bits for bits in _BITS if brightest < 2**bits), 16) if brightest else 16
    if bits < 16:
        told.append(
            f"no value in {count:,} 16-bit pictures looked at is above {2**bits - 1:,}, so they are read as {bits}-bit "
            "ones; set dataset.bits=16 to read them as they are"
        )
    if dark:
        told.append(
            f"{dark:,} of {len(looked_at):,} pictures of 16 bit a colour looked at are nearly black, as "
            "values of 12 bit are in such files; scale them to the whole 16 bit"
        )
    return bits, told


def _light(tree: FileTree, paths: Sequence[str]) -> Sequence[str]:
    """Those that can be opened, without such as are work for seconds each, if there are others."""
    pixels: dict[str, int] = {}
    for path in paths:
        try:
            with tree.open(path) as source, open_picture(source, path) as picture:
                pixels[path] = picture.width * picture.height
        except Exception:  # it is named when it is decoded
            continue
    return [path for path, count in pixels.items() if count <= _MOST_PIXELS] or list(pixels)


def _spaced(paths: Sequence[str], most: int) -> list[str]:
    """At most so many of them, evenly spaced, with both ends."""
    if len(paths) <= most:
        return list(paths)
    return [paths[place * (len(paths) - 1) // (most - 1)] for place in range(most)]


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
