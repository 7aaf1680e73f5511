"""Data sets of people who do something."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from wganx import DataError, Split
from wganx.data import Entry
from wganx_video.configs.datasets import ActionsConfig, FoldsConfig
from wganx_video.datasets.corpora.stating import Corpus, lines_of, matching
from wganx_video.datasets.film_tree import FilmTree

_KTH_TRAIN = 16
"""Persons 1 to 16 are for training and validation, 17 to 25 to be tried on."""
_HMDB_SPLITS: Mapping[str, Split] = {"1": "train", "2": "heldout"}
_FILM = r"\.(?:avi|mp4|mkv|webm)"


def _kth(tree: FilmTree, config: ActionsConfig) -> dict[str, Entry]:
    pattern = (
        r"person(?P<person>\d\d)_(?P<action>boxing|handclapping|handwaving|jogging|running|walking)_d\d"
        rf"(?:_uncomp)?(?:{_FILM})?"
    )
    return _only(
        {
            path: Entry(
                {"action": found["action"]},
                "train" if int(found["person"]) <= _KTH_TRAIN else "heldout",
                found["person"],
            )
            for path, found in matching(tree, pattern)
        },
        config,
    )


def _ucf101(tree: FilmTree, config: FoldsConfig) -> dict[str, Entry]:
    split_of: dict[str, Split] = {}
    parts: tuple[tuple[str, Split], ...] = (("train", "train"), ("test", "heldout"))
    for part, split in parts:
        for path, _ in matching(tree, rf"{part}list0{config.fold}\.txt"):
            split_of |= {PurePosixPath(line.split()[0]).stem: split for line in lines_of(tree, path)}
    pattern = rf"(?P<action>[^/]+)/(?P<name>v_\w+_g(?P<film>\d+)_c\d+)(?:{_FILM})?"
    # Films of one group are cut out of one, so that a split that is drawn must not part them.
    return _only(
        {
            path: Entry({"action": found["action"]}, split_of.get(found["name"]), f"{found['action']} {found['film']}")
            for path, found in matching(tree, pattern)
        },
        config,
    )


def _hmdb51(tree: FilmTree, config: FoldsConfig) -> dict[str, Entry]:
    said = {
        (found["action"], PurePosixPath(name).stem): _HMDB_SPLITS.get(use)
        for path, found in matching(tree, rf"(?P<action>\w+)_test_split{config.fold}\.txt")
        for name, use in (line.rsplit(None, 1) for line in lines_of(tree, path))
    }
    return _only(
        {
            path: Entry(
                {"action": found["action"]},
                said.get((found["action"], found["name"])),
                found["name"].partition(f"_{found['action']}_")[0],
            )
            for path, found in matching(tree, rf"(?P<action>[a-z_]+)/(?P<name>[^/]+?)(?:{_FILM})")
        },
        config,
    )


def _kinetics(tree: FilmTree, config: ActionsConfig) -> dict[str, Entry]:
    said = {
        row["youtube_id"]: row["label"].replace("_", " ")
        for path, _ in matching(tree, r"[^/]+\.csv")
        for row in csv.DictReader(lines_of(tree, path))
        if row.get("label") and row.get("youtube_id")
    }
    pattern = (
        r"(?:(?P<part>train|val|validate|test)/)?(?:(?P<action>(?!train/|val/|validate/|test/)[^/]+)/)?"
        rf"(?P<id>[\w-]{{11}})(?:_\d{{6}}_\d{{6}})?(?:{_FILM})"
    )
    entries = {}
    for path, found in matching(tree, pattern):
        action = said.get(found["id"]) or (found["action"] or "").replace("_", " ")
        if not action:
            continue  # what is done in it was never published
        split: Split | None = None if found["part"] is None else "train" if found["part"] == "train" else "heldout"
        entries[path] = Entry({"action": action}, split, found["id"])
    return _only(entries, config)


def _only(entries: dict[str, Entry], config: ActionsConfig) -> dict[str, Entry]:
    """The films of the actions that are asked for.

    Raises:
        DataError: there is no such action.
    """
    if not config.only or not entries:
        return entries
    there = {entry.labels["action"] for entry in entries.values()}
    if missing := sorted(set(config.only) - there):
        raise DataError(f"dataset.only names {missing[0]!r}, and there are: {_some(sorted(there))}")
    return {path: entry for path, entry in entries.items() if entry.labels["action"] in config.only}


def _some(names: Iterable[str], most: int = 20) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")


KTH = Corpus(
    "KTH Actions",
    ("KTH", "kth"),
    "walking/person01_walking_d1_uncomp.avi, or a folder of frames of that name",
    _kth,
    ActionsConfig,
)
UCF101 = Corpus(
    "UCF101",
    ("UCF101", "ucf101"),
    "UCF-101/Archery/v_Archery_g01_c01.avi, beside ucfTrainTestlist/trainlist01.txt,",
    _ucf101,
    FoldsConfig,
    tables=(".txt",),
)
HMDB51 = Corpus(
    "HMDB51",
    ("HMDB51", "hmdb51"),
    "hmdb51_org/wave/..._wave_....avi, beside testTrainMulti_7030_splits/wave_test_split1.txt,",
    _hmdb51,
    FoldsConfig,
    tables=(".txt",),
)
KINETICS = Corpus(
    "Kinetics",
    ("kinetics", "Kinetics", "kinetics400", "k400", "k600", "k700-2020"),
    "train/abseiling/0347ZoDXyP0_000095_000105.mp4, or train/... with annotations/train.csv,",
    _kinetics,
    ActionsConfig,
    tables=(".csv",),
)
