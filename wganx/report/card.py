"""The model card of a run: what someone has to know who is handed the network, in Markdown.

After Mitchell et al. 2019, "Model cards for model reporting", as far as the records of a run tell it; in the form of
the Hugging Face Hub, where it is the README.md of a repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wganx.plain import mapping, named, number, printable
from wganx.report.facts import headline
from wganx.report.front_matter import extractor_of, front_matter, numbers
from wganx.report.reading import RunRecord
from wganx.report.wording import figure

_MOST_CLASSES = 12
_BEFORE = (
    "It gives samples like those it learnt from, their faults included, and was measured on nothing else. It is not to "
    "be used to deceive, to identify or to judge people, nor where a wrong sample does harm."
)


_TO_OTHERS = {"your own files": "files of whoever trained it", "yours": "of whoever trained it"}
"""What a plugin says to who trains, as it is said to everybody else."""


@dataclass(frozen=True)
class Shared:
    """What is to be said of a run that is handed on, beyond its records.

    Attributes:
        repository: where, as ``OWNER/NAME``.
        licence: of the weights, as the Hub names it; None where nobody said.
        labels: the classes of every label that the generator takes.
        applies: whether it makes samples of files, and not of noise alone.
        samples: what it drew, by the path in the repository; the picture of all of them first.
        files: plugins that are files and do not come along.
    """

    repository: str
    licence: str | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    applies: bool = False
    samples: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def model_card(run: RunRecord, shared: Shared | None = None) -> str:
    """The card, from the records of the run alone; what was not recorded is said to be unknown."""
    facts, data = run.facts, mapping(run.facts.get("data"))
    dataset = mapping(run.config.get("dataset")).get("name", "unknown")
    task = " / ".join(map(_plain, named(facts, "plugin", "scenario", "task")))
    name = run.name if shared is None else shared.repository
    licence = None if shared is None else shared.licence
    source, of_data = (str(data.get(key) or "unknown") for key in ("source", "licence"))
    if shared is not None:
        source, of_data = _TO_OTHERS.get(source, source), _TO_OTHERS.get(of_data, of_data)
    listed = facts.get("plugins")
    plugins = map(mapping, listed if isinstance(listed, list) else ())
    lines = [
        f"# Model card: {_plain(name)}",
        "",
        f"A generator trained by wganx {_plain(facts.get('wganx', '(version unknown)'))}: {task or 'unknown'}.",
        "",
        *_how_to(run, shared),
        "## Learnt from",
        "",
        f"- data set: {_plain(dataset)}, from {_plain(source)}",
        f"- licence of the data: {_plain(of_data)}",
        f"- items: {_count(data.get('train'))} to learn from, {_count(data.get('heldout'))} held out",
        f"- fingerprint: {_plain(data.get('fingerprint') or 'unknown')}",
        "",
        "## Training",
        "",
        *(f"- {name.lower()}: {_plain(text)}" for name, text in headline(run) if not name.startswith(("W", "Speed"))),
        f"- status: {_plain(facts.get('status') or 'unknown')}",
        f"- licence of the weights: {_plain(licence or 'not stated; ask whoever hands them on')}",
        f"- plugins: {_plain(', '.join(map(_plugin, plugins)) or 'unknown')}",
        "- every setting: config.yaml",
        "",
        "## Measured",
        "",
        *_measured(run),
        "",
        "## Use",
        "",
        _BEFORE,
    ]
    if notice := facts.get("notice"):
        lines += ["", _plain(notice)]
    return front_matter(run, name.rpartition("/")[2], licence) + "\n" + "\n".join(lines) + "\n"


def _how_to(run: RunRecord, shared: Shared | None) -> Iterator[str]:
    """What is typed to draw from it, and what it drew."""
    folder = run.name.replace("`", "") if shared is None else shared.repository.rpartition("/")[2]
    labels = {} if shared is None else shared.labels
    choice = next((f" --given {_typed(f'{name}={classes[0]}')}" for name, classes in labels.items() if classes), "")
    yield "## How to use it"
    yield ""
    if shared is not None and shared.samples:
        grid, *single = shared.samples
        yield f"![Samples that it drew, none of them chosen]({grid})"
        yield ""
        yield from (f"- [{path.rpartition('/')[2]}]({path})" for path in single)
        yield from [""] * bool(single)
    yield "```bash"
    if shared is not None:
        yield 'pip install "wganx[hub]"'
        yield f"wganx pull {shared.repository}"
    if shared is not None and shared.applies:
        yield f"wganx sample {_typed(folder)} --source FILE{choice} --out MADE"
    else:
        yield f"wganx sample {_typed(folder)} -n 16{choice} --out drawn"
    yield "```"
    yield ""
    if not (shared is not None and shared.applies):
        yield f"In Python `wganx.load_generator({json.dumps(folder, ensure_ascii=False)}).draw(16)` gives tensors."
    yield "Nothing of it is executed on loading: weights are safetensors, the rest is JSON and YAML."
    yield ""
    for name, classes in labels.items():
        more = f" and {len(classes) - _MOST_CLASSES} more" if len(classes) > _MOST_CLASSES else ""
        yield f"- classes of {_plain(name)}: {_plain(', '.join(classes[:_MOST_CLASSES]))}{more}"
    if shared is not None and shared.files:
        listed = ", ".join(map(_plain, shared.files))
        yield f"- it needs {listed}, code that is not part of it: ask whoever made it, and read it before you use it"
    yield from [""] * bool(labels or (shared is not None and shared.files))


def _measured(run: RunRecord) -> Iterator[str]:
    """The numbers of the last evaluation, with the floor, what they were measured on, and where there is all of it."""
    found, rows = mapping(run.evaluation), numbers(run)
    if not rows:
        yield "Nothing yet: `wganx evaluate` measures it."
        return
    yield (
        f"At step {_count(found.get('step'))}, on {_rows_of(found)}, seed {_plain(found.get('seed'))}; "
        "the floor is the same number between real samples. All of it: evaluation.json."
    )
    yield ""
    yield "| number | generated | floor | better | 95 % interval | baselines | features |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        floor = number(row.get("floor"))
        yield (
            f"| {_plain(row.get('value'))} | {figure(number(row['generated']))} | "
            f"{'' if floor is None else figure(floor)} | {_plain(row.get('better') or '')} | "
            f"{_interval(row.get('interval'))} | {_baselines(row)} | {_plain(extractor_of(run, row))} |"
        )
    yield ""
    yield (
        "Baselines are what needs no training; features, the network whose features are compared and the hash of its "
        f"weights. The held-out data has fingerprint {_plain(found.get('fingerprint') or 'unknown')}."
    )


def _plugin(facts: Mapping[str, Any]) -> str:
    return f"{facts.get('name')} ({' '.join(map(str, filter(None, map(facts.get, ('distribution', 'version')))))})"


def _interval(value: object) -> str:
    ends = [number(end) for end in value] if isinstance(value, list | tuple) else []
    return f"{figure(ends[0])} .. {figure(ends[1])}" if len(ends) == 2 and None not in ends else ""


def _baselines(row: Mapping[str, Any]) -> str:
    found = {name: number(value) for name, value in mapping(row.get("baselines")).items()}
    return ", ".join(f"{_plain(name)} {figure(value)}" for name, value in found.items() if value is not None)


def _rows_of(evaluation: Mapping[str, Any]) -> str:
    samples, blocks = f"{_count(evaluation.get('n'))} samples", number(evaluation.get("repeats"))
    return f"{figure(blocks)} blocks of {samples}" if blocks is not None and blocks > 1 else samples


def _count(value: object) -> str:
    found = number(value)
    return "unknown" if found is None else figure(found)


def _typed(text: str) -> str:
    """A stranger's text as it stands in a line of commands: one word of the shell, and no end of the block."""
    word = " ".join(printable(text).split()).replace("`", "")
    return (
        word if word and all(sign.isalnum() or sign in "-_.=/" for sign in word) else "'" + word.replace("'", "") + "'"
    )


def _plain(value: object) -> str:
    """A stranger's text on one line, in which nothing is markup."""
    text = " ".join(printable(value).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in text)
