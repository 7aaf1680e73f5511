"""The extractor `ge2e`, by which voices are compared, and the metric of it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import Config, ExtractorContext, MetricContext, SampleFormat, Sides
from wganx_audio.judges.hearing import heard
from wganx_audio.judges.scores import Numbers
from wganx_audio.judges.wheels import weights_in
from wganx_audio.sound.levels import rms_db, trim_silence

RATE = 16_000
SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
_WINDOW, _HOP, _BANDS = 400, 160, 40
_FRAMES = 160
"""Frames, 1.6 s, that are listened to at once."""
_A_SECOND, _LEAST = 1.3, 0.75
_LEVEL_DB = -30.0


class VoiceEncoder(nn.Module):
    """Samples of a game to voice embeddings ``(N, 256)`` of length 1; all are positive, so that cosines lie in 0..1.

    Three LSTM layers on 40 mel bands (Wan et al. 2018, "Generalized End-to-End Loss for Speaker Verification"). Silence
    at a sound's ends is cut off; what is left is listened to in parts of 1.6 s, 1.3 a second, and the mean of these
    embeddings is brought to length 1. Softer sounds than -30 dB are made as loud.
    """

    bands_MF: Tensor

    def __init__(self, format: SampleFormat) -> None:
        super().__init__()
        from torchaudio.functional import melscale_fbanks

        self.format = format
        self.lstm = nn.LSTM(_BANDS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        bands_FM = melscale_fbanks(_WINDOW // 2 + 1, 0.0, RATE / 2, _BANDS, RATE, norm="slaney", mel_scale="slaney")
        self.register_buffer("bands_MF", bands_FM.T.contiguous(), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """Embeddings ``(N, 256)``."""
        return torch.stack([self.voice(wave) for wave in heard(samples, self.format, RATE)])

    def voice(self, wave_L: Tensor) -> Tensor:
        """The embedding ``(256,)`` of one sound at 16 kHz."""
        wave_L = trim_silence(wave_L[None], RATE)[0]
        level = rms_db(wave_L[None])
        if -120 < level < _LEVEL_DB:
            wave_L = wave_L * 10 ** ((_LEVEL_DB - level) / 20)
        return self.utterance(wave_L)

    def utterance(self, wave_L: Tensor) -> Tensor:
        """The embedding of a sound as it is, in parts."""
        step = round(RATE / _A_SECOND / _HOP)
        frames = -(-(len(wave_L) + 1) // _HOP)
        starts = list(range(0, max(1, frames - _FRAMES + step + 1), step))
        if len(starts) > 1 and (len(wave_L) / _HOP - starts[-1]) / _FRAMES < _LEAST:
            starts.pop()
        missing = (starts[-1] + _FRAMES) * _HOP - len(wave_L)
        mel_TM = self.mel(F.pad(wave_L, (0, max(missing, 0))))
        embedded = self.embed(torch.stack([mel_TM[start : start + _FRAMES] for start in starts]))
        return F.normalize(embedded.mean(0), dim=0)

    def embed(self, mel_NTM: Tensor) -> Tensor:
        """Embeddings of parts ``(N, 160, 40)``."""
        _, (hidden, _) = self.lstm(mel_NTM)
        return F.normalize(self.linear(hidden[-1]).relu(), dim=1)

    def mel(self, wave_L: Tensor) -> Tensor:
        """Powers in mel bands ``(T, 40)``."""
        hann = torch.hann_window(_WINDOW, device=wave_L.device)
        spectrum = torch.stft(wave_L, _WINDOW, _HOP, window=hann, pad_mode="constant", return_complex=True)
        return (self.bands_MF @ spectrum.abs().square()).T


def ge2e(config: Config, context: ExtractorContext) -> nn.Module:
    """The voice encoder of Resemblyzer, with its weights.

    Raises:
        MissingExtra: Resemblyzer is not installed.
    """
    path = weights_in(
        "Resemblyzer",
        "resemblyzer/pretrained.pt",
        SHA256,
        who="extractor 'ge2e'",
        # Its other dependencies are not needed for the weights, and one of them has to be compiled.
        install="pip install --no-deps Resemblyzer",
    )
    weights: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    with torch.random.fork_rng([]):
        network = VoiceEncoder(context.game.sample)
    kept = {name: tensor for name, tensor in weights.items() if name.startswith(("lstm.", "linear."))}
    network.load_state_dict(kept)
    return network.eval()


def speaker_similarity(sides: Sides, context: MetricContext) -> Numbers:
    """Cosines of voices: of each sample to the mean voice of the speaker that it was asked for, and of its source.

    A speaker's voice is the mean of the other held-out sounds of that speaker, brought to length 1.
    ``voice_to_target`` and, for conversions, ``voice_to_source``, of rows whose target is another speaker than their
    source; ``nearest_voice`` is the share of samples whose nearest voice is the target's. Nothing where no `speaker` is
    asked for.
    """
    side, reference = sides.candidate, sides.reference
    if "speaker" not in side.context or "speaker" not in reference.context:
        return {}
    made, real = (F.normalize(context.features("ge2e", each).double(), dim=1) for each in (side, reference))
    of_real, target = reference.context["speaker"].cpu(), side.context["speaker"].cpu()
    speakers = torch.unique(of_real)
    voices = F.normalize(torch.stack([real[of_real == each].mean(0) for each in speakers]), dim=1)
    cosines = made @ voices.T
    rows = torch.isin(target, speakers)
    source = side.known["source_speaker"].cpu() if "source_speaker" in side.known else None
    if source is not None:
        rows &= torch.isin(source, speakers) & (source != target)
    if not rows.any():
        return {}

    def to(whose: Tensor) -> Tensor:
        return cosines[rows].gather(1, torch.searchsorted(speakers, whose[rows])[:, None])[:, 0]

    found: Numbers = {"voice_to_target": float(to(target).mean())}
    if source is not None:
        found["voice_to_source"] = float(to(source).mean())
    found["nearest_voice"] = float((speakers[cosines[rows].argmax(1)] == target[rows]).double().mean())
    return found
