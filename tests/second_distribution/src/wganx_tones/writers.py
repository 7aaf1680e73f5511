"""Tones as WAV files and as one picture; a sample's own format says how it becomes a sound."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from wganx import Batch, Preview, SampleFormat
from wganx_tones.spectra import sound_of

WIDTH, ROW, HEARD = 480, 48, 4


def write_wav(batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    """One 16-bit WAV file a tone, ``folder/stem-0000.wav``."""
    paths = []
    for index, wave_T in enumerate(_waves(batch.real, format)):
        path = folder / f"{stem}-{index:04d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(round(format.rate_hz or 8000))
            file.writeframes((wave_T.clamp(-1, 1) * 32767).round().to(torch.int16).numpy().astype("<i2").tobytes())
        paths.append(path)
    return paths


def preview_tones(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Preview:
    """Every tone as a line over time, and the first few to be heard."""
    waves_NT = _waves(samples, format)
    picture = Image.new("RGB", (WIDTH, ROW * len(waves_NT)), "white")
    draw = ImageDraw.Draw(picture)
    for row, wave_T in enumerate(waves_NT):
        step, middle = WIDTH / max(len(wave_T) - 1, 1), ROW * (row + 0.5)
        line = [(i * step, middle - 0.45 * ROW * level) for i, level in enumerate(wave_T.clamp(-1, 1).tolist())]
        draw.line(line, fill="firebrick")
    files = write_wav(Batch(samples[:HEARD]), format, folder, stem)
    return Preview(torch.from_numpy(np.array(picture)).permute(2, 0, 1), tuple(files))


def _waves(samples: Tensor, format: SampleFormat) -> Tensor:
    """Samples as waves ``(N, T)``."""
    if format.axes == ("bin", "frame"):
        return sound_of(samples.detach(), format)
    return samples.detach().float().cpu()[:, 0]
