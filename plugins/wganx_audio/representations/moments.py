"""Where the magnitudes of every bin lie, found once when a run starts."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx import DataError, Formats, Items
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations.description import describe, representation_of
from wganx_audio.representations.spectrogram import Spectrogram

MOST_ITEMS = 1024
_RUN = 16
_LEAST = 0.05


def fit_moments(config: RepresentationConfig, formats: Formats, items: Items) -> Mapping[str, Tensor]:
    """``mean`` and ``reach`` ``(F,)`` of the log magnitudes of the training items; nothing for waveforms.

    The reach is `config.reach` deviations, and so much more that the loudest magnitude found is not cut off: the peaks
    of speech lie beyond three deviations in many bins, and without them it does not sound. What is streamed is kept in
    float64, and memory does not grow with the data. Of many items 1,024 are looked at. A bin that never moves has the
    deviation 0.05, half a decibel.

    Raises:
        DataError: nothing is heard in any of them.
    """
    if config.representation == "waveform":
        _refuse_silence(items)
        return {}
    representation = representation_of(describe(config, formats.need("sample", "a spectrogram"), None))
    assert isinstance(representation, Spectrogram)
    count, heard, mean_F, spread_F, loudest_F = 0, False, torch.zeros(()), torch.zeros(()), torch.tensor(-torch.inf)
    for run in spread_runs(len(items), MOST_ITEMS):
        waves = torch.stack([items[index]["sample"] for index in run])
        found_FV = representation.logarithms(waves.float() / 32768).double().permute(2, 0, 1, 3).flatten(1)
        own, own_mean_F = found_FV.shape[1], found_FV.mean(1)
        own_spread_F = (found_FV - own_mean_F[:, None]).square().sum(1)
        # Chan, Golub and LeVeque 1983: two groups' means and sums of squares become those of both.
        gap_F, both = own_mean_F - mean_F, count + own
        spread_F = spread_F + own_spread_F + gap_F.square() * (count * own / both)
        mean_F = mean_F + gap_F * (own / both)
        count, heard, loudest_F = both, heard or bool(waves.any()), torch.maximum(loudest_F, found_FV.amax(1))
    if not heard:
        _refuse_silence(items)
    reach_F = config.reach * (spread_F / count).sqrt().clamp_min(_LEAST)
    return {"mean": mean_F.float(), "reach": torch.maximum(reach_F, loudest_F - mean_F).float()}


def _refuse_silence(items: Items) -> None:
    """Of silence alone nothing can be learnt; no more items are read than until one is heard."""
    if not any(items[index]["sample"].any() for run in spread_runs(len(items), MOST_ITEMS) for index in run):
        raise DataError("nothing is heard in what is to be learnt from: every sample is 0; see wganx data scan")


def spread_runs(count: int, most: int) -> list[range]:
    """About `most` of `count` items: runs of 16 neighbours, spread evenly, since neighbours are cheaper to read."""
    runs = -(-count // _RUN)
    kept = max(min(runs, most // _RUN), 1)
    starts = [runs * place // kept * _RUN for place in range(kept)]
    return [range(start, min(start + _RUN, count)) for start in starts]
