"""The model card of a run: what someone has to know who is handed the network, in Markdown.

After Mitchell et al. 2019, "Model cards for model reporting", as far as the records of a run tell it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wganx.report.facts import headline
from wganx.report.plain import mapping, number, printable
from wganx.report.reading import RunRecord
from wganx.report.wording import figure

_MOST_NUMBERS = 40
_BEFORE = (
    "It gives samples like those it learnt from, their faults included, and was measured on nothing else. It is not to "
    "be used to deceive, to identify or to judge people, nor where a wrong sample does harm."
)


def model_card(run: RunRecord) -> str:
    """The card, from the records of the run alone; what was not recorded is said to be unknown."""
    facts, data = run.facts, mapping(run.facts.get("data"))
    dataset = mapping(run.config.get("dataset")).get("name", "unknown")
    named = " / ".join(_plain(facts[name]) for name in ("plugin", "scenario", "task") if facts.get(name))
    lines = [
        f"# Model card: {_plain(run.name)}",
        "",
        f"A generator trained by wganx {_plain(facts.get('wganx', '(version unknown)'))}: {named or 'unknown'}.",
        "",
        "## Learnt from",
        "",
        f"- data set: {_plain(dataset)}, from {_plain(data.get('source') or 'unknown')}",
        f"- licence of the data: {_plain(data.get('licence') or 'unknown')}",
        f"- items: {_count(data.get('train'))} to learn from, {_count(data.get('heldout'))} held out",
        f"- fingerprint: {_plain(data.get('fingerprint') or 'unknown')}",
        "",
        "## Training",
        "",
        *(f"- {name.lower()}: {_plain(text)}" for name, text in headline(run) if not name.startswith(("W", "Speed"))),
        f"- status: {_plain(facts.get('status') or 'unknown')}",
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
    return "\n".join(lines) + "\n"


def _measured(run: RunRecord) -> Iterator[str]:
    """The numbers of the last evaluation, with the floor, what they were measured on, and where there is all of it."""
    found = mapping(run.evaluation)
    listed = found.get("rows")
    each = map(mapping, listed if isinstance(listed, list) else ())
    rows = [row for row in each if number(row.get("generated")) is not None]
    if not rows:
        yield "Nothing yet: `wganx evaluate` measures it."
        return
    yield (
        f"At step {_count(found.get('step'))}, on {_rows_of(found)}, seed {_plain(found.get('seed'))}; "
        "the floor is the same number between real samples. All of it: evaluation.json."
    )
    yield ""
    yield "| number | generated | floor | better |"
    yield "|---|---|---|---|"
    for row in rows[:_MOST_NUMBERS]:
        floor = number(row.get("floor"))
        yield (
            f"| {_plain(row.get('value'))} | {figure(number(row['generated']))} | "
            f"{'' if floor is None else figure(floor)} | {_plain(row.get('better') or '')} |"
        )


def _rows_of(evaluation: Mapping[str, Any]) -> str:
    samples, blocks = f"{_count(evaluation.get('n'))} samples", number(evaluation.get("repeats"))
    return f"{figure(blocks)} blocks of {samples}" if blocks is not None and blocks > 1 else samples


def _count(value: object) -> str:
    found = number(value)
    return "unknown" if found is None else figure(found)


def _plain(value: object) -> str:
    """A stranger's text on one line, in which nothing is markup."""
    text = " ".join(printable(value).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in text)
