"""The tables of published data sets in the docs: all that a plugin reads, each with the licence that it is under."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wganx_audio.configs import datasets as sounds
from wganx_video.configs import datasets as films

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


@pytest.mark.parametrize(
    ("page", "corpora"), [("sound-datasets.md", sounds.CORPORA), ("film-datasets.md", films.CORPORA)]
)
def test_a_table_names_every_corpus_with_its_licence(page: str, corpora: dict[str, tuple[str, ...]]) -> None:
    rows, reading = {}, False
    for line in (GUIDES / page).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        reading = line.startswith("|") and (reading or cells[-1] == "licence")
        for name in re.findall(r"`([a-z0-9-]+)`", cells[0]) if reading else ():
            rows[name] = cells
    assert rows.keys() == corpora.keys()
    for name, cells in rows.items():
        *_, licence, _ = corpora[name]
        assert cells[-1] == licence
        assert "/" in cells[1]
