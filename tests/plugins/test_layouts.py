"""The layouts that datasets say their files have: said by all that read files, and read as they are said."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from wganx import Dataset
from wganx.data import Listing
from wganx.plugins import describe_all, load

BUILT_IN = [plugin.name for plugin in describe_all() if plugin.distribution == "wganx"]
DATASETS = [(name, offer) for name in BUILT_IN for offer in load([name]).offers(Dataset)]
LISTED = [(name, offer) for name, offer in DATASETS if offer.listing and not offer.folder and offer.layout]

CONTENTS = {
    "sounds.csv": "path,speaker\nany/folders/hello.wav,anna\n",
    "train.tsv": "client_id\tpath\tsentence\nabcdef\tcommon_voice_en_1.mp3\tHello\n",
    "transcript.txt": "meisterfloh/meisterfloh_0001.wav|Hallo\n",
    "EmoEvaluation/Ses01F_impro01.txt": "[1.0 - 2.0]\tSes01F_impro01_F000\tneu\t[2.5, 2.5, 2.5]\n",
    "list_eval_partition.txt": "000001.jpg 0\n",
    "list_attr_celeba.txt": "1\nSmiling\n000001.jpg 1\n",
}
"""Of the files without which no other is read; the others may be empty."""


def written(layout: Mapping[str, str], folder: Path) -> None:
    """The files of a layout, most of them empty."""
    for path in layout:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix == ".tar":
            with tarfile.open(place, "w") as shard:
                shard.addfile(tarfile.TarInfo("000000.jpg"), io.BytesIO())
        else:
            place.write_text(next((text for end, text in CONTENTS.items() if path.endswith(end)), ""), encoding="utf-8")


@pytest.mark.parametrize(("plugin", "offer"), DATASETS, ids=[f"{name}-{offer.name}" for name, offer in DATASETS])
def test_all_that_read_files_say_how_they_lie(plugin: str, offer: Dataset) -> None:
    assert bool(offer.layout) == ("root" in offer.config.model_fields)
    for path, words in offer.layout.items():
        assert not path.startswith("/"), path
        assert "\\" not in path
        assert words == words.strip()


@pytest.mark.parametrize(("plugin", "offer"), LISTED, ids=[f"{name}-{offer.name}" for name, offer in LISTED])
def test_files_that_lie_as_said_are_found(plugin: str, offer: Dataset, tmp_path: Path) -> None:
    written(offer.layout, tmp_path)
    listing: Listing = offer.factory("listing")(tmp_path / "sounds.csv" if offer.name == "table" else tmp_path)
    assert listing.entries
