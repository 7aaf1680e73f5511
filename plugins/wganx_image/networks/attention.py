"""Self-attention over the pixels of a map, as an option of convolutional networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from wganx import ConfigError

Kind = Literal["none", "dot", "l2"]


class SelfAttention(nn.Module):
    """``x + gain * mix(attend(x))``: every pixel also sees a mean over all pixels; the gain starts at 0.

    ``dot`` weighs pixel j for pixel i by ``softmax_j <q_i, k_j>``, keys and values taken from 2 x 2 px at a time (Zhang
    et al. 2019, "Self-Attention Generative Adversarial Networks"). Its slope has no bound on unbounded inputs, whatever
    the weights (Kim et al. 2021, "The Lipschitz Constant of Self-Attention"); in a critic the penalty alone holds it.

    ``l2`` weighs by ``softmax_j (-|q_i - q_j|² / sqrt(d))``, with one map for queries and keys: the form of logits for
    which Kim et al. show a bound. It depends on the weights and is not 1.

    Both can be differentiated twice by plain operations.

    Shapes:
        ``(N, C, H, W) -> (N, C, H, W)``; H and W even for ``dot``.
    """

    def __init__(self, channels: int, kind: Kind) -> None:
        super().__init__()
        inner, values = max(channels // 8, 1), max(channels // 2, 1)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1) if kind == "dot" else None
        self.value = nn.Conv2d(channels, values, 1)
        self.mix = nn.Conv2d(values, channels, 1)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        query_NDI, value = self.query(x_NCHW).flatten(2), self.value(x_NCHW)
        if self.key is not None:
            key_NDJ = functional.max_pool2d(self.key(x_NCHW), 2).flatten(2)
            value = functional.max_pool2d(value, 2)
            logits_NIJ = query_NDI.transpose(1, 2) @ key_NDJ
        else:
            square_NI = query_NDI.square().sum(1)
            products_NIJ = query_NDI.transpose(1, 2) @ query_NDI
            distances_NIJ = square_NI[:, :, None] + square_NI[:, None, :] - 2 * products_NIJ
            logits_NIJ = -distances_NIJ / query_NDI.shape[1] ** 0.5
        seen_NVI = value.flatten(2) @ logits_NIJ.softmax(2).transpose(1, 2)
        return cast(Tensor, x_NCHW + self.gain * self.mix(seen_NVI.unflatten(2, x_NCHW.shape[2:])))


def attention_at(size: int, channels: int, kind: Kind, wanted: int) -> list[nn.Module]:
    """Attention to follow a map of that size, where it is `wanted`; else nothing, and no draw is made."""
    return [SelfAttention(channels, kind)] if kind != "none" and size == wanted else []


def attention_after(network: str, widths: Sequence[int], kind: Kind, wanted: int) -> nn.ModuleDict:
    """For a generator whose blocks make maps of 8, 16, 32, ... px with these channels: by number of the block.

    Raises:
        ConfigError: no block makes a map of the size `wanted`.
    """
    sizes = [8 * 2**number for number in range(len(widths))]
    check_attention(f"{network} generator", kind, wanted, sizes)
    return nn.ModuleDict(
        {
            str(number): attention
            for number, (size, channels) in enumerate(zip(sizes, widths))
            for attention in attention_at(size, channels, kind, wanted)
        }
    )


def check_attention(network: str, kind: Kind, wanted: int, sizes: Sequence[int]) -> None:
    """
    Raises:
        ConfigError: attention is `wanted` at a size that no map of the network has.
    """
    if kind != "none" and wanted not in sizes:
        role = network.rpartition(" ")[2]
        raise ConfigError(
            f"the {network} has no map of {wanted} px for its attention: set {role}.attention_size to one of "
            f"{', '.join(map(str, sorted(set(sizes))))}"
        )
