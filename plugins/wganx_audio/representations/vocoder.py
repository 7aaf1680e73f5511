"""Vocoders of other packages: networks that make sound of magnitudes, in place of a search for phases.

A package offers one as an entry point of the group ``wganx_audio.vocoders``:

    [project.entry-points."wganx_audio.vocoders"]
    my-hifigan = "my_package:HifiGan"

A run chooses it by name, ``task.vocoder=my-hifigan``, and keeps the name in the description of its samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Protocol

from torch import Tensor

from wganx import ConfigError

GROUP = "wganx_audio.vocoders"


class Vocoder(Protocol):
    """What an entry point names: a class, made without arguments once it is needed.

    Attributes:
        signal: what it was trained for, in the words of a sample's description: ``representation``, ``rate_hz``,
            ``window``, ``hop``, ``bands``. What it does not name it does not mind.
    """

    signal: ClassVar[Mapping[str, Any]]

    def __call__(self, logarithms_NCFT: Tensor) -> Tensor:
        """Natural logarithms of magnitudes, where a full sine is 1, to sounds ``(N, C, L)`` in [-1, 1]."""


def find_vocoder(name: str, signal: Mapping[str, Any]) -> type[Vocoder]:
    """The vocoder of a name, which is for samples of this description; the same class each time.

    Raises:
        ConfigError: none is installed under this name, or it was trained for another description; names both.
    """
    vocoder = _load(name)
    for key, wanted in vocoder.signal.items():
        if signal.get(key) != wanted:
            raise ConfigError(
                f"vocoder {name!r} was trained for {key}={wanted}, and these samples have {key}={signal.get(key)}; "
                "what it makes of them would be noise: set both alike, or leave task.vocoder out"
            )
    return vocoder


@cache
def _load(name: str) -> type[Vocoder]:
    offered: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in offered:
        known = ", ".join(sorted(offered)) or "none"
        raise ConfigError(f"there is no vocoder {name!r}; installed: {known}. Griffin-Lim needs none")
    loaded: type[Vocoder] = offered[name].load()
    return loaded
