"""A network of a run to a folder of its own: written, read back, compared, described."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from wganx.errors import UsageError, did_you_mean
from wganx.export.card import card_of, card_text
from wganx.export.comparing import Agreement, compare
from wganx.export.formats import FORMATS, Format
from wganx.export.sizes import ExportFailed, free_sizes, trained_sizes
from wganx.export.subject import Role, Subject, open_subject
from wganx.storage import json_text, whole_folder


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        folder: where it lies.
        files: names in it; first those of the network.
        agreement: how nearly what was read back from there gives what the module gives.
        fixed: why sizes that the network leaves free are those of the training here; empty where all of them are free.
    """

    folder: Path
    files: tuple[str, ...]
    agreement: Agreement
    fixed: str = ""


def export(
    run: str | Path,
    out: str | Path,
    *,
    format: str,
    what: Role = "generator",
    checkpoint: str | int = "last",
    warn: Callable[[str], None] | None = None,
) -> Exported:
    """Write the generator or the critic of a run for use without it; what ``wganx export`` does.

    What was written is read back and compared with the module before the folder gets its name.

    Args:
        run: the run folder; its data need not be there.
        out: a new folder; ``card.json`` and ``CARD.md`` in it say what goes in and what comes out.
        format: ``safetensors``, ``torch-export`` or ``onnx``.
        what: ``generator``, of which the averaged one is meant; ``critic``; or ``whole``, the generator with all that
            lies between a file and it, where the run's task has that (`Game.whole`): from sound to sound.
        checkpoint: ``last``, ``best``, or a step.
        warn: told of damaged checkpoints that are passed over for ``last``.

    Raises:
        UsageError: there is no such run, format or network, or `out` is there already.
        CheckpointError: there is no such checkpoint, or it is damaged or holds no critic.
        MissingExtra: what writes the format is not installed.
        ExportFailed: it cannot be written so, or came back as another network; nothing is left.
    """
    folder = Path(out)
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; there are {', '.join(FORMATS)}{did_you_mean(format, FORMATS)}")
    if os.path.lexists(folder):
        raise UsageError(f"{folder} is there already; give another --out")
    writer = FORMATS[format]
    writer.need()
    if what == "whole" and format == "safetensors":
        raise UsageError(
            "the whole way from file to file is more than weights: choose --format onnx or torch-export, or leave "
            "--what out"
        )
    subject = open_subject(Path(run), what, checkpoint, warn)
    free = free_sizes(subject)
    try:
        with whole_folder(folder) as aside:
            weights, agreement, fixed = write_compared(writer, subject, free, aside)
            free = {} if fixed else free
            card = card_of(subject, free, format, weights, agreement, fixed)
            (aside / "card.json").write_text(json_text(card, indent=1) + "\n", encoding="utf-8")
            (aside / "CARD.md").write_text(card_text(card), encoding="utf-8")
            others = sorted(path.name for path in aside.iterdir() if path not in weights)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ExportFailed(f"{folder} could not be written: {reason}; nothing is left of it") from error
    return Exported(folder, (*(path.name for path in weights), *others), agreement, fixed)


def write_compared(
    writer: Format, subject: Subject, free: Mapping[str, int], folder: Path
) -> tuple[Sequence[Path], Agreement, str]:
    """Write a network with its free sizes, or else with those of the training, and compare what is read back.

    Returns:
        The files that hold weights, how nearly they agree, and why the sizes are fixed where they are.

    Raises:
        ExportFailed: neither can be written, or it came back as another network.
    """
    try:
        weights = writer.write(subject, free, folder)
        return weights, compare(subject, writer.read(subject, folder), free), ""
    except ExportFailed as error:
        if not free or None in trained_sizes(subject, free).values():
            raise
        fixed = f"{', '.join(free)} stay as trained, since {writer.name} did not take others: {error}"
    weights = writer.write(subject, {}, folder)
    return weights, compare(subject, writer.read(subject, folder), {}), fixed
