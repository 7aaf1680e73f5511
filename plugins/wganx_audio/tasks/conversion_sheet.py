"""A conversion to look at and to listen to: source, what it became, and how the wanted voice sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from wganx import Batch, Preview, SampleFormat
from wganx_audio.representations import Representation
from wganx_audio.sheet import draw_sheet
from wganx_audio.sound.writing import Origin, write_sound

HEARD = 5
"""Rows whose three sounds lie beside a preview; its picture shows all."""


def preview_conversions(
    samples: Tensor,
    reference: Batch,
    representation: Representation,
    formats: Mapping[str, SampleFormat],
    convert: Sequence[str],
    folder: Path,
    stem: str,
) -> Preview:
    """A row for each sample: its source, itself, and a real sound of the classes asked for.

    WAV files of the first rows are ``folder/stem-0000-source.wav``, ``-converted.wav`` and ``-real.wav``.
    """
    source, real = reference.context["source"], reference.real
    before = representation.decode(source.float()).cpu()
    # A converted sound begins with the source's phases, as it does when a file is converted.
    after = representation.decode(samples.float(), phase_of=before.to(samples.device)).cpu()
    wanted = representation.decode(real.float()).cpu()
    waves, captions, files = [], [], []
    rate = round(representation.rate_hz)
    labels = {**reference.context, **reference.known}
    kinds: tuple[tuple[str, Tensor, Origin], ...] = (
        ("source", before, "recorded"),
        ("converted", after, "synthetic"),
        ("real", wanted, "recorded"),
    )
    for row in range(len(samples)):
        told = {name: formats[name].classes[int(labels[name][row])] for name in formats if formats[name].is_label}
        source_is = " ".join(told[f"source_{name}"] for name in convert)
        target_is = " ".join(told[name] for name in convert)
        said = {"source": source_is, "converted": f"{source_is} to {target_is}", "real": target_is}
        for kind, wave_NCL, origin in kinds:
            waves.append(wave_NCL[row])
            captions.append(f"{row} {kind}: {said[kind]}")
            if row < HEARD:
                path = folder / f"{stem}-{row:04d}-{kind}.wav"
                files.append(write_sound(path, wave_NCL[row], rate, origin=origin))
    return Preview(draw_sheet(waves, representation.rate_hz, captions, columns=len(kinds)), tuple(files))
