"""How people listen to sounds, and look at them: single files, and their spectrograms on one sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from wganx import Batch, Preview, SampleFormat
from wganx_audio.representations import representation_of
from wganx_audio.sheet import draw_sheet
from wganx_audio.sound.writing import Origin, write_sound

HEARD = 16
"""Sounds that lie beside a preview; its picture shows all."""


def write_sounds(batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    """One WAV file of 16 bits a sample, ``folder/stem-0000.wav``, marked as synthetic.

    Raises:
        DataError: the format does not say how its samples become sounds.
    """
    return _write(as_waves(batch.real, format), format, folder, stem, "synthetic")


def preview_sounds(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Preview:
    """Spectrograms of what is heard of each sample, and WAV files of the first 16, ``folder/stem-0000.wav``.

    Real ones are drawn as the networks see them, too: turned into their representation and back.

    Raises:
        DataError: the format does not say how its samples become sounds.
    """
    waves_NCL = as_waves(samples, format)
    real = samples.shape == reference.real.shape and bool((samples == reference.real).all())
    captions = [f"{index + 1}{_labels(reference.context, index, format)}" for index in range(len(samples))]
    picture = draw_sheet(list(waves_NCL), format.rate_hz or 1.0, captions)
    files = _write(waves_NCL[:HEARD], format, folder, stem, "recorded" if real else "synthetic")
    return Preview(picture, tuple(files))


def as_waves(samples: Tensor, format: SampleFormat) -> Tensor:
    """Samples as sounds ``(N, C, L)`` in [-1, 1], on the CPU.

    Raises:
        DataError: the format does not say how its samples become sounds.
    """
    return representation_of(format).decode(samples.detach().float()).cpu()


def _write(waves_NCL: Tensor, format: SampleFormat, folder: Path, stem: str, origin: Origin) -> list[Path]:
    rate = round(format.rate_hz or 1)
    return [
        write_sound(folder / f"{stem}-{index:04d}.wav", wave_CL, rate, origin=origin)
        for index, wave_CL in enumerate(waves_NCL)
    ]


def _labels(context: Mapping[str, Tensor], index: int, format: SampleFormat) -> str:
    """The sample's classes, by name where the format has the names."""
    names: Any = format.signal.get("labels") or {}
    classes = {name: value for name, value in context.items() if value.ndim == 1 and not value.is_floating_point()}
    told = [
        names[name][int(value[index])] if name in names else f"{name} {int(value[index])}"
        for name, value in classes.items()
    ]
    return f": {', '.join(told)}" if told else ""
