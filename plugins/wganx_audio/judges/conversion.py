"""What became of a converted sound's labels: those that were to change, and those that were to stay."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wganx import MetricContext, Sides
from wganx_audio.judges.scores import Numbers, asked_and_kept, heard_labels


def conversion(sides: Sides, context: MetricContext) -> Numbers:
    """Shares of converted sounds, of those rows alone whose target is another than their source.

    ``target_<label>``: heard as the target; ``kept_<label>``: heard as what the source was in a label that is to stay,
    as the word; ``unchanged_<label>``: still heard as the source in what was to change. ``target`` and ``kept`` are the
    means over labels, and ``target_and_kept`` is their harmonic mean, 0 for the source as it is and for noise alike.
    Recordings of the targets themselves are to say what they say. Nothing without labels, or where nothing was to
    change.
    """
    heard, real = (heard_labels(context, side) for side in (sides.candidate, sides.truth))
    itself = all(torch.equal(heard[name], real[name]) for name in heard.keys() & real.keys())
    asked, kept, changed = asked_and_kept(sides.candidate, real=itself)
    if not changed.any():
        return {}

    def share(name: str, wanted: Tensor) -> float:
        return float((heard[name].argmax(1).cpu() == wanted.cpu())[changed].double().mean())

    found: Numbers = {f"target_{name}": share(name, rows) for name, rows in asked.items() if name in heard}
    reached = [value for value in found.values() if isinstance(value, float)]
    stayed = {f"kept_{name}": share(name, rows) for name, rows in kept.items() if name in heard}
    for name in asked.keys() & heard.keys():
        if (source := sides.candidate.known.get(f"source_{name}")) is not None:
            found[f"unchanged_{name}"] = share(name, source)
    found |= stayed
    if reached:
        found["target"] = _mean(reached)
    if stayed:
        found["kept"] = _mean(list(stayed.values()))
    if reached and stayed:
        both = _mean(reached) + _mean(list(stayed.values()))
        found["target_and_kept"] = 2 * _mean(reached) * _mean(list(stayed.values())) / both if both else 0.0
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
