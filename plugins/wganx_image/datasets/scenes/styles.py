"""Scenes by their style alone: what a style leaves open, chance decides."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.scenes.kinds import SHARES, STYLES
from wganx_image.datasets.scenes.landscape import draw_scenes


def draw_styles(traits: Traits, size: int) -> Tensor:
    """Scenes of the label ``style``, uint8 ``(N, 3, size, size)``; of another style, the same place."""
    chance = Chance.of_all(traits)
    labels = {}
    for label, share_of in SHARES.items():
        classes, picked = list(share_of), chance.between(0, 1)
        open_to = [[classes.index(name) for name in STYLES[style][label]] for style in STYLES]
        table = torch.tensor([[choices[int(part * len(choices) / 12)] for part in range(12)] for choices in open_to])
        style = torch.tensor([list(STYLES).index(name) for name in traits.shares["style"]])[traits.labels["style"]]
        labels[label] = table[style, (picked * 12).long().clamp_(max=11)]
    return draw_scenes(Traits(SHARES, labels, traits.chance_NK[:, len(SHARES) :]), size)
