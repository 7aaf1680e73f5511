"""Corpora of sentences that are read aloud in one language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wganx.data import Entry, FileTree
from wganx_audio.datasets.corpora.stating import Corpus, lines_of, matching, text_of

_UNKNOWN = "unknown"


def _vctk(tree: FileTree, texts: bool) -> dict[str, Entry]:
    told: dict[str, list[str]] = {}
    for path, _ in matching(tree, r"speaker-info\.txt"):
        for line in lines_of(tree, path)[1:]:
            name, *rest = line.split()
            told[name if name[0] in "ps" else f"p{name}"] = rest  # the older version leaves the p out
    said = {found["id"]: path for path, found in matching(tree, r"txt/[ps]\d+/(?P<id>[ps]\d+_\d+)\.txt")}
    entries: dict[str, Entry] = {}
    taken: set[str] = set()
    pattern = r"(?P<speaker>[ps]\d+)/(?P<id>(?P=speaker)_(?P<line>\d+))(?:_mic[12])?\.(?:flac|wav)"
    for path, found in matching(tree, pattern):
        if found["id"] in taken:
            continue  # the first microphone comes first, and many keep the second alone
        taken.add(found["id"])
        if texts and found["id"] not in said:
            continue  # one speaker's texts were lost
        _, gender, accent = [*told.get(found["speaker"], ())[:3], *[_UNKNOWN] * 3][:3]
        entries[path] = Entry(
            {"speaker": found["speaker"], "accent": accent, "gender": gender},
            group=found["line"],  # the first lines are the same for all
            text=text_of(tree, said[found["id"]]).strip() if texts else "",
        )
    return entries


def _ljspeech(tree: FileTree, texts: bool) -> dict[str, Entry]:
    said = {}
    for path, _ in matching(tree, r"metadata\.csv"):
        for line in lines_of(tree, path):
            name, *written = line.split("|")
            said[name] = written[-1] if written else ""
    return {
        path: Entry(text=said.get(found["id"], ""))
        for path, found in matching(tree, r"wavs/(?P<id>LJ\d+-\d+)\.wav")
        if not said or found["id"] in said
    }


def _libritts(tree: FileTree, texts: bool) -> dict[str, Entry]:
    entries = {}
    pattern = r"(?P<part>train|dev|test)-[\w-]+/(?P<speaker>\d+)/(?P<chapter>\d+)/\d+_\d+_\d+_\d+\.wav"
    there = frozenset(tree.paths)
    for path, found in matching(tree, pattern):
        written = f"{path.removesuffix('.wav')}.normalized.txt"
        if texts and written not in there:
            continue
        entries[path] = Entry(
            {"speaker": found["speaker"]},
            "train" if found["part"] == "train" else "heldout",
            group=f"{found['speaker']} {found['chapter']}",
            text=text_of(tree, written).strip() if texts else "",
        )
    return entries


def _arctic(tree: FileTree, texts: bool) -> dict[str, Entry]:
    said = {
        (found["speaker"], *sentence)
        for path, found in matching(tree, r"cmu_us_(?P<speaker>\w+?)_arctic/etc/txt\.done\.data")
        for sentence in _festival(lines_of(tree, path))
    }
    text_by = {(speaker, name): text for speaker, name, text in said}
    pattern = r"cmu_us_(?P<speaker>\w+?)_arctic/wav/(?P<id>arctic_[ab]\d+)\.wav"
    return {
        path: Entry(
            {"speaker": found["speaker"]},
            group=found["id"],  # all say the same sentences, and what is held out is new of everybody
            text=text_by.get((found["speaker"], found["id"]), ""),
        )
        for path, found in matching(tree, pattern)
    }


def _festival(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of lines such as ``( arctic_a0001 "Author of the danger trail, Philip Steels, etc." )``."""
    for line in lines:
        if found := re.match(r'\(\s*(\S+)\s+"(.*)"\s*\)', line.strip()):
            yield found[1], found[2]


VCTK = Corpus(
    "VCTK",
    ("VCTK-Corpus-0.92", "VCTK-Corpus"),
    "wav48_silence_trimmed/p225/p225_001_mic1.flac",
    _vctk,
    suffixes=(".flac", ".wav"),
    tables=(".txt",),
)
LJSPEECH = Corpus("LJ Speech", ("LJSpeech-1.1",), "wavs/LJ001-0001.wav", _ljspeech, tables=("metadata.csv",))
LIBRITTS = Corpus(
    "LibriTTS", ("LibriTTS",), "train-clean-100/19/198/19_198_000000_000000.wav", _libritts, tables=(".normalized.txt",)
)
CMU_ARCTIC = Corpus(
    "CMU ARCTIC", ("ARCTIC",), "cmu_us_bdl_arctic/wav/arctic_a0001.wav", _arctic, tables=("txt.done.data",)
)
