"""Mel cepstra, and how far two courses of them lie apart when one is stretched onto the other."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

COEFFICIENTS, BANDS = 13, 40
HOP = 0.008
"""Seconds from frame to frame."""
_WINDOW = 0.032
_HEARD_DB = 30.0
_DB = 10 / math.log(10) * math.sqrt(2)

Matrix = NDArray[np.float64]


def mel_cepstra(wave_L: Tensor, rate_hz: int) -> tuple[Tensor, Tensor]:
    """Coefficients 1 to 13 of every frame that is heard, ``(T, 13)``, and the places of these frames ``(T,)``.

    ``ln A = a_0 + sum_m a_m cos(m w)`` on 40 mel bands of the magnitudes (windows of 32 ms, a quarter apart), so
    ``a_m = sqrt(2 / 40)`` times the orthonormal DCT of ``ln A``. Frames count within 30 dB of the loudest; the first
    coefficient, which is how loud a frame is, is left out.
    """
    from torchaudio.functional import create_dct, melscale_fbanks

    window, hop = round(_WINDOW * rate_hz), round(HOP * rate_hz)
    hann = torch.hann_window(window, device=wave_L.device)
    spectrum = torch.stft(wave_L, window, hop, window=hann, pad_mode="constant", return_complex=True)
    magnitude_FT = spectrum.abs()
    bands_FM = melscale_fbanks(window // 2 + 1, 0.0, rate_hz / 2, BANDS, rate_hz).to(wave_L.device)
    logarithm_TM = (magnitude_FT.T @ bands_FM).clamp_min(1e-5).log()
    dct = create_dct(COEFFICIENTS + 1, BANDS, norm="ortho").to(wave_L.device)
    power_T = magnitude_FT.square().sum(0)
    heard = (power_T >= power_T.max() * 10 ** (-_HEARD_DB / 10)).nonzero()[:, 0]
    found_TD: Tensor = math.sqrt(2 / BANDS) * (logarithm_TM @ dct)[heard, 1:]
    return found_TD, heard


def aligned(a_TD: Matrix, b_SD: Matrix) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Dynamic time warping: places in `a` and in `b` that belong together, and their mean Euclidean distance.

    The path of the smallest sum of distances from the first frames to the last, by steps of one in either or in both
    (Sakoe and Chiba 1978, without weights). One antidiagonal after the other, each of which needs the last two alone.
    """
    squares = (a_TD**2).sum(1)[:, None] + (b_SD**2).sum(1)[None] - 2 * a_TD @ b_SD.T
    distance_TS = np.sqrt(np.clip(squares, 0, None))
    rows, columns = distance_TS.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(rows + columns - 1):
        i = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        j = diagonal - i
        before = np.minimum(np.minimum(total[i, j], total[i, j + 1]), total[i + 1, j])
        total[i + 1, j + 1] = distance_TS[i, j] + before
    path, i, j = [], rows - 1, columns - 1
    while True:
        path.append((i, j))
        if i == j == 0:
            break
        steps = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
        i, j = min(steps, key=lambda step: total[step[0] + 1, step[1] + 1])
    places = np.array(path[::-1])
    return places[:, 0], places[:, 1], float(distance_TS[places[:, 0], places[:, 1]].mean())


def mel_distortion(a_TD: Tensor, b_SD: Tensor) -> float:
    """Mel-cepstral distortion in dB of two courses: ``10 / ln 10 sqrt(2 sum_m (a_m - b_m)^2)``, mean along the path."""
    return _DB * aligned(a_TD.double().cpu().numpy(), b_SD.double().cpu().numpy())[2]
