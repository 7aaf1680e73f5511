"""The extractor `dnsmos`: how good a sound would be called by those who listen to speech."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wganx import Batch, Config, ExtractorContext, MetricContext, MissingExtra, SampleFormat, Sides
from wganx_audio.judges.hearing import heard
from wganx_audio.judges.scores import Numbers
from wganx_audio.judges.wheels import weights_in

RATE = 16_000
LENGTH = 144_160
"""Samples it listens to, 9.01 s."""
OPINIONS = ("naturalness", "signal", "background", "overall")
PARTS = {
    "speechmos/dnsmos_models/model_v8.onnx": "9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91",
    "speechmos/dnsmos_models/sig_bak_ovr.onnx": "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
}
_CURVES = {  # from what the network says to mean opinions; the paper's authors fitted them
    "signal": (-0.08397278, 1.22083953, 0.0052439),
    "background": (-0.13166888, 1.60915514, -0.39604546),
    "overall": (-0.06766283, 1.11546468, 0.04602535),
}
_WINDOW, _HOP, _BANDS = 321, 160, 120
_INSTALL = 'pip install "wganx[speech]"'


class Opinions(nn.Module):
    """Samples of a game to mean opinion scores ``(N, 4)``, 1 to 5: `OPINIONS`.

    DNSMOS (Reddy, Gopal and Cutler 2021 and 2022): the first is that of listening tests by ITU-T P.808, the others by
    P.835. A shorter sound is repeated until it lasts 9.01 s; of a longer one, windows a second apart are averaged.
    """

    weights: Tensor
    bands_MF: Tensor

    def __init__(self, format: SampleFormat, p808: Path, p835: Path) -> None:
        super().__init__()
        from torchaudio.functional import melscale_fbanks

        self.format = format
        self._files = p808, p835
        self._open()
        # What runs outside of torch has no weights to be known by: the digest of its files stands for them.
        digest = hashlib.sha256(p808.read_bytes() + p835.read_bytes()).digest()
        self.register_buffer("weights", torch.tensor(list(digest), dtype=torch.uint8))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some low bands hold no bin; with these the network was trained
            # The last bin of an odd window lies below half of the rate, to which the bands reach.
            last = round(RATE * (_WINDOW // 2) / _WINDOW)
            bands_FM = melscale_fbanks(
                _WINDOW // 2 + 1, 0.0, RATE / 2, _BANDS, 2 * last, norm="slaney", mel_scale="slaney"
            )
        self.register_buffer("bands_MF", bands_FM.T.contiguous(), persistent=False)

    def _open(self) -> None:
        self._natural, self._parts = map(_session, self._files)

    def __getstate__(self) -> dict[str, Any]:
        """Without what runs the files, which cannot be copied."""
        return {name: value for name, value in vars(self).items() if name not in ("_natural", "_parts")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._open()

    def forward(self, samples: Tensor) -> Tensor:
        """Opinions ``(N, 4)``."""
        return torch.stack([self.opinions(wave) for wave in heard(samples, self.format, RATE)])

    def opinions(self, wave_L: Tensor) -> Tensor:
        """Opinions ``(4,)`` of one sound at 16 kHz."""
        while len(wave_L) < LENGTH:
            wave_L = torch.cat([wave_L, wave_L])
        seconds = len(wave_L) // RATE
        starts = range(max(int(seconds - LENGTH / RATE) + 1, 1))
        windows = [wave_L[start * RATE : start * RATE + LENGTH] for start in starts]
        return torch.stack([self._window(window) for window in windows if len(window) == LENGTH]).mean(0)

    def _window(self, wave_L: Tensor) -> Tensor:
        heard_L = wave_L.cpu().float()
        (natural,) = self._natural.run(None, {"input_1": self.mel(heard_L[:-_HOP])[None].numpy()})[0][0]
        raw = self._parts.run(None, {"input_1": heard_L[None].numpy()})[0][0]
        parts = [float(np.polyval(curve, value)) for curve, value in zip(_CURVES.values(), raw)]
        return torch.tensor([float(natural), *parts])

    def mel(self, wave_L: Tensor) -> Tensor:
        """Powers in mel bands ``(T, 120)`` in dB below the loudest, over 40, from -1 to 1."""
        hann = torch.hann_window(_WINDOW)
        spectrum = torch.stft(wave_L, _WINDOW, _HOP, window=hann, pad_mode="constant", return_complex=True)
        power_TM = (self.bands_MF.cpu() @ spectrum.abs().square()).T
        level = 10 * power_TM.clamp_min(1e-10).log10()
        level = level - 10 * power_TM.max().clamp_min(1e-10).log10()
        return (level.clamp_min(float(level.max()) - 80) + 40) / 40


def dnsmos(config: Config, context: ExtractorContext) -> nn.Module:
    """The networks of DNSMOS that speechmos brings, run by ONNX Runtime.

    Raises:
        MissingExtra: speechmos or ONNX Runtime is not installed.
    """
    found = [
        weights_in("speechmos", file, sha256, who="extractor 'dnsmos'", install=_INSTALL)
        for file, sha256 in PARTS.items()
    ]
    return Opinions(context.game.sample, *found).eval()


def naturalness(sides: Sides, context: MetricContext) -> Numbers:
    """Means of the opinions of DNSMOS, 1 to 5: read them beside those of real sounds, which short ones do not reach."""
    # The rows that are shown, and not all there are: each takes a second of a core.
    found = context.features("dnsmos", Batch(sides.candidate.real)).double().mean(0)
    return dict(zip(OPINIONS, found.tolist()))


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(f"extractor 'dnsmos' is run by onnxruntime: {_INSTALL}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
