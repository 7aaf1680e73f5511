"""A conversion to look at and to listen to: source, what it became, and how the wanted voice sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from wganx import Batch, Preview
from wganx_audio.representations import Representation
from wganx_audio.sheet import draw_sheet
from wganx_audio.sound.writing import Origin, write_sound

HEARD = 5
"""Rows whose three sounds lie beside a preview; its picture shows all."""


def preview_conversions(
    samples: Tensor,
    reference: Batch,
    representation: Representation,
    classes: Mapping[str, Sequence[str]],
    folder: Path,
    stem: str,
) -> Preview:
    """A row for each sample: its source, itself, and a real sound of the classes asked for.

    WAV files of the first rows are ``folder/stem-0000-source.wav``, ``-converted.wav`` and ``-real.wav``.

    Args:
        reference: the rows that the samples were made from; `real` holds the sounds that are to be compared with.
        classes: of every label that is converted, by its name.
    """
    before_NCL = representation.decode(reference.context["source"].float()).cpu()
    # A converted sound begins with the source's phases, as it does when a file is converted.
    after_NCL = representation.decode(samples.float(), phase_of=before_NCL.to(samples.device)).cpu()
    real_NCL = representation.decode(reference.real.float()).cpu()
    rate = round(representation.rate_hz)
    waves, captions, files = [], [], []
    for row in range(len(samples)):
        was = " ".join(names[int(reference.known[f"source_{name}"][row])] for name, names in classes.items())
        wanted = " ".join(names[int(reference.condition[name][row])] for name, names in classes.items())
        cells: tuple[tuple[str, str, Tensor, Origin], ...] = (
            ("source", was, before_NCL[row], "recorded"),
            ("converted", f"{was} to {wanted}", after_NCL[row], "synthetic"),
            ("real", wanted, real_NCL[row], "recorded"),
        )
        for kind, caption, wave_CL, origin in cells:
            waves.append(wave_CL)
            captions.append(f"{row} {kind}: {caption}")
            if row < HEARD:
                files.append(write_sound(folder / f"{stem}-{row:04d}-{kind}.wav", wave_CL, rate, origin=origin))
    return Preview(draw_sheet(waves, representation.rate_hz, captions, columns=len(cells)), tuple(files))
