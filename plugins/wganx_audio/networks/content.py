"""What is to be said, as a network reads it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from wganx import SampleFormat


class ContentEncoder(nn.Module):
    """A text to features that are spread evenly over as many places as are asked for.

    An embedding of every symbol, then two convolutions of three symbols each, so that a symbol is read with its
    neighbours. Nothing is known of how long each lasts: every symbol gets as much of the time as every other, between
    two of them the features change linearly, and the network that reads them finds out how long each lasts.

    Shapes:
        ``text (N, length)`` integers, 0 after its end -> ``(N, channels, places)``.
    """

    def __init__(self, format: SampleFormat, channels: int) -> None:
        super().__init__()
        (self.length,) = format.sizes
        symbols = len(cast(list[str], format.signal["alphabet"]))
        self.embed = nn.Embedding(symbols + 1, channels)
        self.mix = nn.Sequential(
            nn.Conv1d(channels, channels, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv1d(channels, channels, 3, padding=1),
        )

    def forward(self, text: Tensor, places: int) -> Tensor:
        embedded_NEL = self.embed(text).transpose(1, 2)
        encoded_NEL = embedded_NEL + self.mix(embedded_NEL)
        return spread(encoded_NEL, (text > 0).sum(1), places)


def spread(encoded_NEL: Tensor, lengths_N: Tensor, places: int) -> Tensor:
    """The first `lengths_N` columns of each row, stretched evenly to `places` columns by linear interpolation.

    Column t of the result lies at ``(t + 1/2) lengths / places - 1/2``, held between the first and the last.

    Shapes:
        ``encoded_NEL (N, E, L)``, ``lengths_N (N,)`` in ``[0, L]`` -> ``(N, E, places)``.
    """
    last_N1 = (lengths_N[:, None] - 1).clamp_min(0)
    centres_P = torch.arange(places, device=encoded_NEL.device, dtype=encoded_NEL.dtype) + 0.5
    place_NP = (centres_P * lengths_N[:, None].to(encoded_NEL.dtype) / places - 0.5).clamp_min(0)
    place_NP = torch.minimum(place_NP, last_N1.to(encoded_NEL.dtype))
    columns_L = torch.arange(encoded_NEL.shape[2], device=encoded_NEL.device, dtype=encoded_NEL.dtype)
    # Weights as a matrix: its product is one operation, and its derivative another.
    weights_NPL = (1 - (place_NP[:, :, None] - columns_L).abs()).clamp_min(0)
    return torch.einsum("nel,npl->nep", encoded_NEL, weights_NPL)
