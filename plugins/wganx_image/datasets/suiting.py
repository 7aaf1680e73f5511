"""What suits a folder of somebody's own pictures, and the device that learns them: size, cut, networks, steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median, quantiles
from typing import Any

from wganx import DataContext
from wganx.data import FileTree, Layout
from wganx_image.configs.datasets import MENDS, SUFFIXES, FolderConfig
from wganx_image.datasets.looking import Thumbnails, headers, thumbnails

Suggestions = dict[str, tuple[Any, str]]

_SIZES = (16, 32, 64, 128)
_LARGEST = {"cpu": 32, "mps": 64, "cuda": 128}
_ENLARGED = 1.25
"""As much larger than most pictures a sample may be: those of 28 px become 32 px rather than 16."""

_LONG = 2
"""Where half of the pictures are so many times as long as wide, the square in their middle is half of them at most."""

_FEW = 2_000
"""Pictures below which a critic learns them by heart within minutes unless they are changed."""

_FEW_OF_A_CLASS = 10
_MIRRORED = 2.5
"""Of 48 photographs of ten kinds, and of drawn faces and landscapes, nine in ten draws are below 1.8; of handwritten
digits the middle one is about 3, of one digit at least 10, of lines of text 40."""

_TWO_TONES = 0.6
"""Share of black and white in digits 0.6 to 0.9, in photographs and drawn scenes below 0.1."""


_FEWEST_HELD_OUT = 10
"""Held-out pictures by which augmentation may follow the critic; the readings of fewer are noise."""


@dataclass(frozen=True)
class Scale:
    """What a size takes: channels of both players, pictures in a batch, and steps."""

    generator: int
    critic: int
    batch: int
    steps: int


_ON_CPU = {
    16: Scale(32, 16, 64, 6_000),
    32: Scale(32, 16, 64, 4_000),
    64: Scale(16, 16, 32, 2_400),
    128: Scale(16, 16, 16, 1_000),
}
"""Steps of about ten minutes of two cores: at 32 px two cores without other work made seven to thirteen a second."""

_ON_GPU = {size: Scale(64, 64, 64, 10_000) for size in (16, 32, 64)} | {128: Scale(32, 32, 64, 10_000)}


def suggest_folder(config: FolderConfig, context: DataContext) -> Mapping[str, tuple[Any, str]]:
    """What is chosen for the pictures below `config.root` where nobody says otherwise, each with its reason.

    Raises:
        DataError: the folder is missing or holds no pictures.
    """
    tree = FileTree(config.root, SUFFIXES, MENDS)
    sizes = headers(tree).sizes
    seen = thumbnails(tree)
    tree.close()
    on_cpu = context.device == "cpu"
    found: Suggestions = {}
    size = config.size
    if size == "auto":
        size, why = fitting_size([min(each) for each in sizes], context.device)
        found["dataset.size"] = size, why
    if "crop" not in config.model_fields_set:
        found["dataset.crop"] = _crop(sizes)
    if seen.grey and "channels" not in config.model_fields_set:
        found["dataset.channels"] = 1, "the pictures looked at are grey"
    found["task.flip"] = _flip(seen)
    if (labels := _labels(tree.layout)) is not None:
        found["task.labels"] = labels
    if len(tree.layout.train) < _FEW:
        # Colours are left as they are, since a generator comes to make the shifted ones of a few hundred pictures.
        found["task.augment"] = ["translation", "cutout"], f"fewer than {_FEW:,} pictures are soon known by heart"
        if len(tree.layout.heldout) >= _FEWEST_HELD_OUT:
            found["task.augment_probability"] = "adaptive", "no more than the held-out pictures say that it takes"
    scale = (_ON_CPU if on_cpu else _ON_GPU).get(size)
    if scale is not None:  # for other sizes there are no networks, which is said with those that there are
        found |= _scaled(scale, size, on_cpu, len(tree.layout.train))
    return found


def fitting_size(sides: Sequence[int], device: str) -> tuple[int, str]:
    """The size that pictures are brought to, and why: what the device learns in minutes, and hardly enlarged.

    Args:
        sides: the shorter side of some pictures.
        device: ``cpu``, ``cuda``, ``mps``.
    """
    largest = _LARGEST.get(device, 64)
    one = "a CPU" if device == "cpu" else "a GPU"
    if not sides:
        return 32, "no picture could be looked at"
    common = round(quantiles(sides, n=4)[0]) if len(sides) > 1 else sides[0]
    size = max((each for each in _SIZES if each <= min(largest, common * _ENLARGED)), default=_SIZES[0])
    if size == largest:
        return size, f"what {one} learns in minutes; 3 in 4 pictures are {common:,} px or more on their shorter side"
    return size, f"3 in 4 pictures are {common:,} px or more on their shorter side, the others less"


def _crop(sizes: Sequence[tuple[int, int]]) -> tuple[str, str]:
    ratios = [max(size) / min(size) for size in sizes] or [1.0]
    upright = sum(height > width for width, height in sizes)
    wide = sum(width > height for width, height in sizes)
    shapes = f"{upright} of {len(sizes)} upright, {wide} wide"
    if median(ratios) > _LONG:
        return "whole", f"half of the pictures are {median(ratios):.1f} times as long as wide or more ({shapes})"
    lost = mean(1 - 1 / ratio for ratio in ratios)
    return "square", f"the middle; {lost:.0%} of a picture is cut away on average ({shapes})"


def _flip(seen: Thumbnails) -> tuple[bool, str]:
    if len(seen.pictures) < 2:
        return False, "too few pictures could be looked at"
    if seen.two_tones > _TWO_TONES:
        return False, "in black and white, as writing is, which is not to be mirrored"
    if seen.mirrored > _MIRRORED:
        times = f"{seen.mirrored:.1f}" if seen.mirrored < 100 else "over 100"
        return False, f"left and right differ {times} times as much as by chance, as in writing"
    return True, f"mirrored they look like the others (left and right differ {seen.mirrored:.1f} times the chance)"


def _labels(layout: Layout) -> tuple[bool, str] | None:
    counts = [count["train"] for count in layout.counts().values()]
    if not counts or median(counts) >= _FEW_OF_A_CLASS:
        return None
    return False, f"half of the {len(counts)} class folders have {median(counts):.0f} pictures to learn from or fewer"


def _scaled(scale: Scale, size: int, on_cpu: bool, count: int) -> Suggestions:
    what = f"{size} px on a {'CPU' if on_cpu else 'GPU'}"
    batch = min(scale.batch, max(8, count // 4))
    why = what if batch == scale.batch else f"{count:,} pictures to learn from"
    time = "about ten minutes of two cores" if on_cpu else "a first result"
    return {
        "generator.width": (scale.generator, what),
        "critic.width": (scale.critic, what),
        "train.batch_size": (batch, why),
        "train.steps": (scale.steps, time),
    }
