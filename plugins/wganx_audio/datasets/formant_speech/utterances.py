"""Who says what and how, and what chance adds to it: drawn for every item from a stream of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from torch import Tensor

from wganx_audio.datasets.formant_speech.phonology import EMOTIONS, HELD_OUT, LANGUAGES, SPEAKERS, WORDS, Pairs

FACTORS: Mapping[str, tuple[str, ...]] = {
    "word": WORDS,
    "speaker": tuple(SPEAKERS),
    "emotion": tuple(EMOTIONS),
    "language": tuple(LANGUAGES),
}
"""All there is to choose from, by the name of the label."""

CHANCES = (
    "pitch", "range", "rate", "level", "onset", "tremor", "first formant", "second formant", "third formant",
    "fourth formant",
)  # fmt: skip
"""What chance decides about an utterance, each uniform in -1 .. 1."""

_ORDER, _CHANCE = 0, 1


@dataclass(frozen=True)
class Utterances:
    """Several utterances.

    Attributes:
        word, speaker, emotion, language: indices ``(N,)`` into `FACTORS`.
        chance_NK: what chance decided, in the order of `CHANCES`.
        noise_NL: white noise of deviation 1, which breath and consonants are made of.
    """

    word: Tensor
    speaker: Tensor
    emotion: Tensor
    language: Tensor
    chance_NK: Tensor
    noise_NL: Tensor

    def __len__(self) -> int:
        return len(self.word)

    def chance(self, name: str) -> Tensor:
        """What chance decided about `name`, ``(N,)``."""
        return self.chance_NK[:, CHANCES.index(name)]

    def but(self, **labels: str | Tensor) -> Utterances:
        """The same utterances with other labels, each one for all by name, or as indices ``(N,)`` into `FACTORS`.

        Raises:
            KeyError, ValueError: there is no such factor, or no such value of it.
        """
        changed = {
            name: torch.full_like(self.word, FACTORS[name].index(value)) if isinstance(value, str) else value
            for name, value in labels.items()
        }
        return replace(self, **changed)


def pairs_held_out(chosen: Mapping[str, Sequence[str]]) -> Pairs:
    """The pairs of `HELD_OUT` of which both factors vary: of what is always the same nothing is kept for later."""
    return {kind: pairs for kind, pairs in HELD_OUT.items() if all(len(chosen[name]) > 1 for name in kind)}


def combinations(chosen: Mapping[str, Sequence[str]], *, held_out: bool) -> Tensor:
    """All combinations of the `chosen` labels as indices ``(M, 4)`` into `FACTORS`.

    Args:
        chosen: names by factor.
        held_out: leave out those that have one of `pairs_held_out`.
    """
    names = list(FACTORS)
    pairs = pairs_held_out(chosen) if held_out else {}
    left = [
        combination
        for combination in product(*(chosen[name] for name in names))
        if not _has_one(pairs, dict(zip(names, combination)))
    ]
    return torch.tensor([[FACTORS[name].index(value) for name, value in zip(names, row)] for row in left])


def _has_one(pairs: Pairs, labels: Mapping[str, str]) -> bool:
    return any((labels[one], labels[other]) in held_out for (one, other), held_out in pairs.items())


def draw(combinations_M4: Tensor, indices: Sequence[int], stream: Sequence[int], length: int) -> Utterances:
    """The utterances of the items `indices`, each from a stream of its own.

    The combinations take turns: among any ``M`` items that begin at a multiple of ``M`` each is there once, so labels
    are balanced and an item is the same however many there are.

    Args:
        combinations_M4: what `combinations` gave.
        indices: numbers of items, from 0 on.
        stream: what fixes the draws beside an item's number.
        length: samples of noise.
    """
    count = len(combinations_M4)
    begun = {index // count for index in indices}
    turns = {turn: np.random.default_rng([*stream, _ORDER, turn]).permutation(count) for turn in begun}
    labels_N4 = combinations_M4[[int(turns[index // count][index % count]) for index in indices]]
    chance_NK = np.empty((len(indices), len(CHANCES)), dtype=np.float64)
    noise_NL = np.empty((len(indices), length), dtype=np.float32)
    for row, index in enumerate(indices):
        rng = np.random.default_rng([*stream, _CHANCE, index])
        chance_NK[row] = rng.uniform(-1, 1, len(CHANCES))
        noise_NL[row] = rng.standard_normal(length, dtype=np.float32)
    labels = dict(zip(FACTORS, labels_N4.unbind(1)))
    return Utterances(**labels, chance_NK=torch.from_numpy(chance_NK), noise_NL=torch.from_numpy(noise_NL))
