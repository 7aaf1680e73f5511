"""What heads a model card on the Hugging Face Hub: YAML by which a model is found, filtered and compared.

The keys are those of the Hub's model cards: ``library_name``, ``pipeline_tag``, ``license``, ``tags``, ``datasets`` and
``model-index``. What is not known is left out; a ``null`` in a list is refused there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from wganx.plain import mapping, number, printable
from wganx.report.reading import RunRecord

MOST_NUMBERS = 40
_IMAGES, _FILMS = "unconditional-image-generation", "video-to-video"
_PIPELINES = {
    ("image", "generate"): _IMAGES, ("image", "grow"): _IMAGES, ("image", "translate"): "image-to-image",
    ("audio", "convert"): "audio-to-audio",
    ("video", "predict"): _FILMS, ("video", "interpolate"): _FILMS, ("video", "upscale"): _FILMS,
}  # fmt: skip
"""The Hub's own names, a closed list, of what a task of a modality does; the others have none there."""


def front_matter(run: RunRecord, name: str, licence: str | None) -> str:
    """The block between two lines of ``---`` that begins a card, with its line breaks.

    Args:
        name: of the model, for its numbers.
        licence: of the weights, as the Hub names it; unknown where nobody says.
    """
    facts, pipeline = run.facts, pipeline_tag(run)
    constraint = mapping(run.config.get("constraint")).get("name")
    words = ["wganx", "gan", "wasserstein-gan", *(facts.get(key) for key in ("modality", "task")), constraint]
    listed: dict[str, Any] = {"library_name": "wganx", "license": licence or "unknown"}
    if pipeline is not None:
        listed["pipeline_tag"] = pipeline
    listed["tags"] = list(dict.fromkeys(_line(word) for word in words if word))
    dataset = _line(mapping(run.config.get("dataset")).get("name") or "")
    if dataset and mapping(facts.get("data")).get("offline") is False:  # one that others have, by the name it has
        listed["datasets"] = [dataset]
    if metrics := list(_metrics(run)):
        result = {
            "task": {"type": pipeline or "other", "name": _line(facts.get("task") or "generate")},
            "dataset": {"type": dataset or "unknown", "name": dataset or "unknown", "split": "heldout"},
            "metrics": metrics,
        }
        listed["model-index"] = [{"name": _line(name), "results": [result]}]
    block = yaml.safe_dump(listed, sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{block}---\n"


def pipeline_tag(run: RunRecord) -> str | None:
    """What the Hub calls this kind of work; None where it has no name for it, as for pictures of a chosen class."""
    facts = run.facts
    found = _PIPELINES.get((str(facts.get("modality")), str(facts.get("task"))))
    return None if found == _IMAGES and mapping(run.config.get("task")).get("labels") else found


def numbers(run: RunRecord) -> list[Mapping[str, Any]]:
    """The rows of the last evaluation that have a number, as many as a card shows."""
    listed = mapping(run.evaluation).get("rows")
    rows = map(mapping, listed if isinstance(listed, list) else ())
    return [row for row in rows if number(row.get("generated")) is not None][:MOST_NUMBERS]


def extractor_of(run: RunRecord, row: Mapping[str, Any]) -> str:
    """Whose features a number compares, as ``name@hash``; empty for one that needs none."""
    name = row.get("extractor")
    digest = mapping(mapping(run.evaluation).get("extractors")).get(name) if isinstance(name, str) else None
    return "" if name is None else _line(f"{name}@{digest}" if digest else name)


def _metrics(run: RunRecord) -> Iterator[dict[str, Any]]:
    """Every number with the protocol it was measured by."""
    found = mapping(run.evaluation)
    for row in numbers(run):
        n = number(row.get("n"))
        protocol = {
            "step": number(found.get("step")),
            "n": number(found.get("n")) if n is None else n,
            "repeats": number(found.get("repeats")),
            "seed": number(found.get("seed")),
            "extractor": extractor_of(run, row) or None,
            "floor": number(row.get("floor")),
            "baselines": {
                _line(name): value
                for name, each in mapping(row.get("baselines")).items()
                if (value := number(each)) is not None
            },
            "better": _line(row.get("better") or "") or None,
            "data": _line(found.get("fingerprint") or "") or None,
        }
        yield {
            "type": _line(row.get("metric") or row.get("value")),
            "name": _line(row.get("value")),
            "value": number(row["generated"]),
            "args": {key: _whole(value) for key, value in protocol.items() if value not in (None, {})},
        }


def _whole(value: Any) -> Any:
    """A count without the point it got as a number."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def _line(value: object) -> str:
    """A stranger's text on one line: no line of ``---`` can end the block."""
    return " ".join(printable(value).split())
