"""A converter from sound to sound: everything between the two in one module of convolutions, for export."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx_audio.representations.mel import MelSpectrogram
from wganx_audio.representations.spectrogram import Spectrogram

_LEAST = 1e-16


class SoundToSound(nn.Module):
    """A network that converts spectrograms, with the transform before it and the way back behind it.

    The transform is a convolution with cosines and sines under a Hann window, the way back its transpose, divided by
    the windows' sum of squares: what `torch.stft` and `torch.istft` do, in operations that every format has. Phases
    stay the source's; they are not sought further, as `wganx sample --source` does.

    Shapes:
        ``source (N, C, L)`` in [-1, 1], L above half of the window, and what the network is given beside it -> the
        same.
    """

    analysis: Tensor
    synthesis: Tensor
    squares: Tensor
    bands_MF: Tensor
    back_FM: Tensor
    mean_F1: Tensor
    reach_F1: Tensor
    softest: Tensor

    def __init__(self, network: nn.Module, representation: Spectrogram) -> None:
        super().__init__()
        self.network, stft = network, representation.stft
        self.window, self.hop = stft.window, stft.hop
        bins, hann = self.window // 2, torch.hann_window(self.window, dtype=torch.float64)
        turns = torch.arange(bins, dtype=torch.float64)[:, None] * torch.arange(self.window, dtype=torch.float64)
        angles = 2 * torch.pi / self.window * torch.remainder(turns, self.window)
        waves = torch.cat([angles.cos(), -angles.sin()])[:, None]
        # Of the two halves of a real signal's spectrum one is kept, so that every bin but the first counts twice.
        twice = torch.full((bins, 1, 1), 2.0, dtype=torch.float64)
        twice[0] = 1
        self.register_buffer("analysis", (waves * hann / stft.scale).float(), persistent=False)
        back = waves * hann * twice.repeat(2, 1, 1) * stft.scale / self.window
        self.register_buffer("synthesis", back.float(), persistent=False)
        self.register_buffer("squares", hann.square()[None, None].float(), persistent=False)
        bands_MF = back_FM = torch.eye(bins)
        if isinstance(representation, MelSpectrogram):
            bands_MF, back_FM = representation._bands_MF, representation._back_FM
        self.register_buffer("bands_MF", bands_MF, persistent=False)
        self.register_buffer("back_FM", back_FM, persistent=False)
        self.register_buffer("mean_F1", representation._mean_F1, persistent=False)
        self.register_buffer("reach_F1", representation._reach_F1, persistent=False)
        self.register_buffer("softest", torch.tensor(representation._floor), persistent=False)

    def forward(self, source: Tensor, **inputs: Tensor) -> Tensor:
        channels, length = source.shape[1:]
        frames = (length + self.hop - 1) // self.hop
        wave_BL = source.flatten(0, 1)
        wave_BL = F.pad(wave_BL, (0, frames * self.hop - length))
        wave_B1L = F.pad(wave_BL[:, None], (self.window // 2, self.window // 2), mode="reflect")
        # The last frame, which begins where the sound ends, is left out, and is silence on the way back.
        real_BFT, imaginary_BFT = F.conv1d(wave_B1L, self.analysis, stride=self.hop)[..., :-1].chunk(2, 1)
        strength_BFT = (real_BFT.square() + imaginary_BFT.square()).sqrt()
        logarithms = (self.bands_MF @ strength_BFT).maximum(self.softest).log()
        samples_BFT = ((logarithms - self.mean_F1) / self.reach_F1).clamp(-1, 1)
        made = self.network(source=torch.unflatten(samples_BFT, 0, (-1, channels)), **inputs)
        logarithms = made.flatten(0, 1) * self.reach_F1 + self.mean_F1
        bands_BMT = logarithms.exp() * (logarithms > self.softest.log() + 1e-3)
        gain_BFT = (self.back_FM @ bands_BMT).clamp_min(0) / strength_BFT.clamp_min(_LEAST)
        spectrum = F.pad(torch.cat([real_BFT * gain_BFT, imaginary_BFT * gain_BFT], 1), (0, 1))
        wave_B1L = F.conv_transpose1d(spectrum, self.synthesis, stride=self.hop)
        squares = F.conv_transpose1d(torch.ones_like(spectrum[:1, :1]), self.squares, stride=self.hop)
        whole: Tensor = (wave_B1L / squares.clamp_min(1e-8)).narrow(2, self.window // 2, length).clamp(-1, 1)
        return torch.unflatten(whole.squeeze(1), 0, (-1, channels))
