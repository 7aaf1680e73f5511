"""The card of an exported network: what goes in, what comes out, where it comes from; as data and as Markdown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import wganx
from wganx.export.comparing import Agreement
from wganx.export.ports import Port, classes_of, named_shape
from wganx.export.sizes import least_sizes, output_port, trained_sizes
from wganx.export.subject import Subject
from wganx.plain import mapping, plugin_name, printable
from wganx.runs.drawing import catalog_of

_KINDS = {
    "noise": "standard normal noise, a row of its own for every sample",
    "label": "the number of a class",
    "number": "a number that can be chosen",
    "text": "a text: each symbol as 1 + its place in the alphabet, 0 behind the end",
    "sample": "what has to be there",
    "score": "the critic's score, unbounded: higher where it takes a sample for real",
}
_OF_TRAINING = ("wganx", "commit", "steps", "seed", "device", "precision", "status")
_WEIGHTS = """\
    from wganx.export import rebuild

    network = rebuild("{folder}")       # a torch.nn.Module; wganx and its plugin {plugin!r} have to be installed
"""
_PROGRAM = """\
    import torch

    network = torch.export.load("{file}").module()
    found = network({arguments})        # tensors, in the order of the table
"""
_ONNX = """\
    import onnxruntime

    session = onnxruntime.InferenceSession("{file}")
    (found,) = session.run(None, {{{given}}})        # arrays of numpy
"""


def card_of(
    subject: Subject, free: Mapping[str, int], format: str, weights: Sequence[Path], agreement: Agreement, fixed: str
) -> dict[str, Any]:
    """Everything that somebody needs who has the files and nothing else, as plain data."""
    facts, about = subject.folder.facts(), subject.build["about"]
    data = mapping(facts.get("data"))
    modality = catalog_of(about, subject.folder).modality(about["modality"])
    trained = trained_sizes(subject, free)
    return {
        "schema": 1,
        "format": format,
        "what": subject.role,
        "modality": about["modality"],
        "plugin": plugin_name(facts["plugin"]) if facts.get("plugin") else None,
        **{name: facts.get(name) for name in ("scenario", "task")},
        "architecture": about["critic" if subject.role == "critic" else "generator"]["name"],
        "inputs": [_described(port, free) for port in subject.inputs],
        "output": _described(output_port(subject, free), free),
        "free_sizes": {
            axis: {"from": least, "trained": trained[axis]} for axis, least in least_sizes(subject, free).items()
        },
        "fixed_sizes": fixed,
        "turned_back": "" if subject.role == "critic" else modality.turned_back,
        "raw_scores": subject.scores,
        "weights": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in weights},
        "difference": {
            "largest": agreement.difference, "of_values_up_to": agreement.largest, "tried": agreement.tried,
        },
        "made_by": {"wganx": wganx.__version__, **_versions(facts)},
        "trained_by": {
            "step": subject.step,
            **{name: facts.get(name) for name in _OF_TRAINING},
        },
        "data": {name: data.get(name) for name in ("source", "licence", "train", "heldout", "fingerprint")},
        "notice": facts.get("notice") or modality.notice,
    }  # fmt: skip


def card_text(card: Mapping[str, Any]) -> str:
    """The card in Markdown."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    trained, data = card["trained_by"], card["data"]
    named = " / ".join(_plain(card[name]) for name in ("plugin", "scenario", "task") if card[name])
    yield f"# {card['what'].capitalize()} {_plain(card['architecture'])}: {named}"
    yield ""
    yield (
        f"Trained by wganx {_plain(trained['wganx'] or '(version unknown)')}, step {trained['step']} of "
        f"{trained['steps'] or 'unknown'}; exported as {card['format']} by wganx {card['made_by']['wganx']}."
    )
    yield ""
    yield "## What goes in, and what comes out"
    yield ""
    yield "| tensor | shape | type | range | what it is |"
    yield "|---|---|---|---|---|"
    for port in (*card["inputs"], card["output"]):
        marks = "" if port is not card["output"] else "**out** "
        yield (
            f"| {marks}{_plain(port['name'])} | {' x '.join(map(str, port['shape']))} | {port['dtype']} | "
            f"{_range(port['range'])} | {_meaning(port)} |"
        )
    yield ""
    yield "The first axis, rows, is free: as many as there is memory for."
    for axis, size in card["free_sizes"].items():
        trained_on = "" if size["trained"] is None else f"; it was trained on {size['trained']}"
        yield f"The size of {axis} is free from {size['from']} on{trained_on}."
    if card["fixed_sizes"]:
        yield f"{_plain(card['fixed_sizes'])}."
    if card["raw_scores"]:
        yield (
            f"The scores are the network's own. Its training saw them through the constraint {card['raw_scores']}, "
            "which makes others of them; this is not done here."
        )
    for port in (*card["inputs"], card["output"]):
        yield from _listed(port)
    if card["turned_back"]:
        yield ""
        yield card["turned_back"]
    yield ""
    yield "## How it is called"
    yield ""
    yield _call(card).rstrip()
    yield ""
    found = card["difference"]
    yield (
        f"Read back when it was written, and compared with the module on {found['tried']}: the largest difference was "
        f"{found['largest']:.2g}, of values up to {found['of_values_up_to']:.3g}."
    )
    yield ""
    yield "## Where it comes from"
    yield ""
    yield f"- data: {_plain(data['source'] or 'unknown')}"
    yield f"- licence of the data: {_plain(data['licence'] or 'unknown')}"
    counts = [_plain("unknown" if data[split] is None else data[split]) for split in ("train", "heldout")]
    yield f"- items: {counts[0]} to learn from, {counts[1]} held out"
    yield f"- fingerprint of the data: {_plain(data['fingerprint'] or 'unknown')}"
    yield f"- seed {_plain(trained['seed'])}, on {_plain(trained['device'])}, {_plain(trained['precision'])}"
    for name, digest in card["weights"].items():
        yield f"- sha256 of {name}: {digest}"
    if card["notice"]:
        yield ""
        yield _plain(card["notice"])


def _described(port: Port, free: Mapping[str, int]) -> dict[str, Any]:
    """A port as plain data."""
    bounds = port.value_range
    return {
        "name": port.name,
        "kind": port.kind,
        "shape": named_shape(port, free),
        "axes": ["rows", *port.axes],
        "dtype": str(port.dtype).removeprefix("torch."),
        "range": None if bounds is None else list(bounds),
        "classes": classes_of(port),
        "rate_hz": None if port.format is None else port.format.rate_hz,
        "signal": {} if port.format is None else dict(port.format.signal),
    }


def _meaning(port: Mapping[str, Any]) -> str:
    what = f"{' x '.join(port['axes'][1:])}" if port["kind"] == "sample" else _KINDS[port["kind"]]
    rate = f", {port['rate_hz']:g} a second" if port["rate_hz"] else ""
    usual = port["signal"].get("usual") if port["kind"] == "number" else None
    return f"{what}{rate}" + ("" if usual is None else f", {usual:g} where nothing is said")


def _listed(port: Mapping[str, Any]) -> Iterator[str]:
    """What a table has no room for: classes, and what turns a sample back."""
    if port["classes"]:
        yield ""
        numbered = ", ".join(f"{index} {_plain(name)}" for index, name in enumerate(port["classes"]))
        yield f"Classes of {_plain(port['name'])}: {numbered}."
    if port["kind"] == "text":
        yield ""
        alphabet = " ".join(map(str, port["signal"]["alphabet"]))
        yield f"Alphabet of {_plain(port['name'])}, from 1 on: {_plain(alphabet)}."
    signal = {name: value for name, value in port["signal"].items() if name not in ("usual", "alphabet", "labels")}
    if port["kind"] == "sample" and signal:
        yield ""
        told = ", ".join(f"{name} {_short(value)}" for name, value in signal.items())
        yield f"Signal of {_plain(port['name'])}: {told}. All of it: `signal` in card.json."


def _call(card: Mapping[str, Any]) -> str:
    names = [str(port["name"]) for port in card["inputs"]]
    file = next(iter(card["weights"]))
    if card["format"] == "safetensors":
        return _WEIGHTS.format(folder="this folder", plugin=card["plugin"])
    if card["format"] == "torch-export":
        return _PROGRAM.format(file=file, arguments=", ".join(_identifier(name) for name in names))
    return _ONNX.format(file=file, given=", ".join(f"{name!r}: {_identifier(name)}" for name in names))


def _identifier(name: str) -> str:
    return name if name.isidentifier() else "".join(sign if sign.isalnum() else "_" for sign in f"_{name}")


def _versions(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping(facts.get("versions")).items() if name == "torch"}


def _range(bounds: Sequence[float] | None) -> str:
    return "unbounded" if bounds is None else f"{bounds[0]:g} to {bounds[1]:g}"


def _short(value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) > 8:
        return f"({len(value)} numbers)"
    return _plain(value)


def _plain(value: object) -> str:
    """A stranger's text on one line, in which nothing is markup."""
    text = " ".join(printable(value).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in text)
