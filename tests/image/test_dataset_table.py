"""The docs' table of published pictures: all that the plugin reads, with the layout and the licence of each."""

from __future__ import annotations

import re
from pathlib import Path

from wganx import Dataset
from wganx.plugins import load

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "picture-datasets.md"


def rows_of(title: str) -> dict[str, list[str]]:
    lines = PAGE.read_text(encoding="utf-8").partition(f"## {title}")[2].partition("\n## ")[0].splitlines()
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {cells[0].strip("`"): cells for cells in tables}


def test_every_published_dataset_is_there_with_its_layout_and_licence() -> None:
    published = {offer.name: offer for offer in load(["image"]).offers(Dataset) if not offer.card.offline}
    rows = rows_of("Published")
    assert rows.keys() == published.keys()
    for name, cells in rows.items():
        assert cells[-1] == published[name].card.licence
        assert re.search(r"`[^`]+/[^`]+`", cells[1])


def test_every_drawn_dataset_is_there_with_its_classes() -> None:
    from wganx_image.datasets.faces.attributes import SHARES as FACES
    from wganx_image.datasets.scenes.kinds import SHARES as SCENES
    from wganx_image.datasets.scenes.kinds import STYLES

    rows = rows_of("Made")
    assert rows.keys() == {
        offer.name for offer in load(["image"]).offers(Dataset) if offer.name.startswith("procedural")
    }
    for name, shares in (("procedural-faces", FACES), ("procedural-scenes", SCENES)):
        said = [
            label.strip()
            for part in rows[name][1].split(";")
            for label in re.sub("with.*also|fewer.*", "", part).split(",")
        ]
        assert [label for label in said if label] == list(dict.fromkeys([*said[:3], *shares]))[: len(shares)]
        assert [int(count) for count in re.findall(r"\d", rows[name][2])] == [
            len(shares[label]) for label in said if label
        ]
    assert all(style in rows["procedural-styles"][1] for style in STYLES)
