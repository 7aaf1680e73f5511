"""Tones as WAV files, and as waves in one picture."""

from __future__ import annotations

import wave
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from wganx import Batch, SampleFormat

WIDTH, ROW = 480, 48


def write_wav(samples: Tensor, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    """One 16-bit WAV file a tone, ``folder/stem-0000.wav``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, sound_CT in enumerate(samples.detach().float().cpu()):
        path = folder / f"{stem}-{index:04d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(len(sound_CT))
            file.setsampwidth(2)
            file.setframerate(round(format.rate_hz or 8000))
            pcm_TC = (sound_CT.T.clamp(-1, 1) * 32767).round().to(torch.int16)
            file.writeframes(pcm_TC.contiguous().numpy().astype("<i2").tobytes())
        paths.append(path)
    return paths


def preview_waves(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Path:
    """Every tone as a line over time, held-out tones in grey behind them."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (WIDTH, ROW * len(samples)), "white")
    draw = ImageDraw.Draw(picture)
    for sounds, colour in ((reference.real, "silver"), (samples, "firebrick")):
        for row, sound_CT in enumerate(sounds.detach().float().cpu()):
            levels = sound_CT[0].tolist()
            step = WIDTH / max(len(levels) - 1, 1)
            middle = ROW * (row + 0.5)
            draw.line([(i * step, middle - 0.45 * ROW * level) for i, level in enumerate(levels)], fill=colour)
    path = folder / f"{stem}.png"
    picture.save(path)
    return path
