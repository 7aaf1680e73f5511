"""Data sets of frames: for those between, and for larger ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from wganx import Split
from wganx.data import Entry
from wganx_video.configs.datasets import CorpusConfig, MiddleburyConfig, PairsConfig, SeptupletConfig, TripletConfig
from wganx_video.datasets.corpora.stating import Corpus, lines_of, matching
from wganx_video.datasets.film_items import Twin
from wganx_video.datasets.film_tree import FilmTree

_REDS4 = ("000", "011", "015", "020")
"""The clips on which nearly everybody's numbers are."""
_SMALLER = re.compile(r"(?:^|/)[^/]*[xX](?P<times>[2348])(?=/)")


def _vimeo(tree: FilmTree, config: CorpusConfig, lists: str) -> dict[str, Entry]:
    split_of: dict[str, Split] = {}
    parts: tuple[tuple[str, Split], ...] = (("train", "train"), ("test", "heldout"))
    for part, split in parts:
        for path, _ in matching(tree, rf"{lists}_{part}list\.txt"):
            split_of |= dict.fromkeys(lines_of(tree, path), split)
    return {
        path: Entry(split=split_of.get(found["clip"]), group=found["film"])
        for path, found in matching(tree, r"(?:sequences|GT)/(?P<clip>(?P<film>\d{5})/\d{4})")
        if not _SMALLER.search(path)
    }


def _reds(tree: FilmTree, config: CorpusConfig) -> dict[str, Entry]:
    found = {
        path: (known["part"], known["clip"])
        for path, known in matching(tree, r"(?P<part>train|val)_sharp/(?:\w+/)?(?P<clip>\d{3})")
        if not _SMALLER.search(path)
    }
    four = [path for path, (part, clip) in found.items() if part == "train" and clip in _REDS4]
    # As is usual, what was published for validation is for training where the four are there.
    return {
        path: Entry(split="heldout" if path in four or (not four and part == "val") else "train")
        for path, (part, _) in found.items()
    }


def _vid4(tree: FilmTree, config: CorpusConfig) -> dict[str, Entry]:
    return {
        path: Entry(split="heldout")
        for path, _ in matching(tree, r"(?:GT|HR)/(?:calendar|city|foliage|walk)")
        if not _SMALLER.search(path)
    }


def _middlebury(tree: FilmTree, config: CorpusConfig) -> dict[str, Entry]:
    return {path: Entry(split="heldout") for path in tree.pictures}


def _triples(pictures: Sequence[str]) -> dict[str, list[str]]:
    """Frame 10, that between, and frame 11 of each scene, which lie in two folders."""
    there: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in pictures:
        if found := re.search(r"(?:^|/)other-(?:data|gt-interp)/([^/]+)/(frame10|frame10i11|frame11)\.png$", name):
            there[found[1]][found[2]] = name
    wanted = ("frame10", "frame10i11", "frame11")
    return {scene: [known[name] for name in wanted] for scene, known in there.items() if len(known) == len(wanted)}


def _smaller(tree: FilmTree, entries: Mapping[str, Entry], clip: str) -> Twin | None:
    """The twins of the films, each found by the end of its path, of the smallest size there is.

    Args:
        clip: pattern of that end, which twins share.
    """
    ends = re.compile(rf"(?:{clip})$")
    small: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for path in tree.paths:
        if (times := _SMALLER.search(path)) and (end := ends.search(path)):
            small[end[0]].append((int(times["times"]), path[: end.start()]))
    begins: dict[str, str] = {}
    for path in entries:
        if (end := ends.search(path)) and end[0] in small and (begin := path[: end.start()]) not in begins:
            # Clips for training and for validation have the same numbers: the twin is that of the same begin.
            name = begin.rstrip("/")
            begins[begin] = max(small[end[0]], key=lambda known: (known[1].startswith(name), known[0]))[1]
    return Twin(tuple(sorted(begins.items()))) if begins else None


_CLIP = r"\d{5}/\d{4}"
VIMEO_TRIPLET = Corpus(
    "Vimeo-90K of three frames",
    ("vimeo_triplet", "vimeo90k", "vimeo-triplet"),
    "sequences/00001/0001/im1.png, beside tri_trainlist.txt and tri_testlist.txt,",
    partial(_vimeo, lists="tri"),
    TripletConfig,
    tables=(".txt",),
    twin=partial(_smaller, clip=_CLIP),
)
VIMEO_SEPTUPLET = Corpus(
    "Vimeo-90K of seven frames",
    ("vimeo_septuplet", "vimeo90k", "vimeo-septuplet"),
    "sequences/00001/0001/im1.png, beside sep_trainlist.txt and sep_testlist.txt (for pairs BIx4/00001/0001/im1.png),",
    partial(_vimeo, lists="sep"),
    SeptupletConfig,
    tables=(".txt",),
    twin=partial(_smaller, clip=_CLIP),
)
REDS = Corpus(
    "REDS",
    ("REDS", "reds"),
    "train_sharp/000/00000000.png, and train_sharp_bicubic/X4/000/00000000.png for pairs,",
    _reds,
    PairsConfig,
    twin=partial(_smaller, clip=r"\d{3}"),
)
VID4 = Corpus(
    "Vid4",
    ("Vid4", "vid4"),
    "GT/calendar/00000000.png, and BIx4/calendar/00000000.png for pairs,",
    _vid4,
    PairsConfig,
    twin=partial(_smaller, clip="calendar|city|foliage|walk"),
    only_tried_on=True,
)
MIDDLEBURY = Corpus(
    "Middlebury's frames",
    ("Middlebury", "middlebury"),
    "other-data/Beanbags/frame10.png, frame11.png, and other-gt-interp/Beanbags/frame10i11.png,",
    _middlebury,
    MiddleburyConfig,
    group=_triples,
    only_tried_on=True,
)
