"""Corpora of sentences in many languages."""

from __future__ import annotations

import csv
from pathlib import PurePosixPath

from wganx.data import Entry, FileTree
from wganx_audio.datasets.corpora.stating import Corpus, lines_of, matching

_SPEAKER_LETTERS = 12


def _common_voice(tree: FileTree, texts: bool) -> dict[str, Entry]:
    entries = {}
    there = frozenset(tree.paths)
    tables = {(found["language"], found["part"]): path for path, found in matching(
        tree, r"(?P<language>[\w-]+)/(?P<part>train|dev|test|validated)\.tsv")}  # fmt: skip
    for (language, part), table in tables.items():
        if part == "validated" and (language, "train") in tables:
            continue  # it holds the other parts, and what is in none of them
        for row in csv.DictReader(lines_of(tree, table), delimiter="\t", quoting=csv.QUOTE_NONE):
            if not (row.get("path") and row.get("client_id") and row.get("sentence")):
                continue  # some releases have rows whose cells are shifted
            path = str(PurePosixPath(table).parent / "clips" / row["path"])
            path = path if path.endswith(".mp3") else f"{path}.mp3"  # the first versions leave it out
            if path not in there:
                continue  # many keep a part of the clips
            speaker = row["client_id"][:_SPEAKER_LETTERS]
            split = {"train": "train", "validated": None}.get(part, "heldout")
            entries[path] = Entry(
                {"language": language, "speaker": speaker},
                split,  # type: ignore[arg-type]  # one of the splits
                group=speaker,
                text=row["sentence"],
            )
    return entries


def _mls(tree: FileTree, texts: bool) -> dict[str, Entry]:
    said = dict(
        line.split("\t", 1)
        for path, _ in matching(tree, r"(?:train|dev|test)/transcripts\.txt")
        for line in (lines_of(tree, path) if texts else [])
    )
    pattern = (
        r"mls_(?P<language>[a-z]+)(?:_opus)?/(?P<part>train|dev|test)/audio/(?P<speaker>\d+)/(?P<book>\d+)/"
        r"(?P<id>\d+_\d+_\d+)\.(?:flac|opus)"
    )
    return {
        path: Entry(
            {"language": found["language"], "speaker": found["speaker"]},
            "train" if found["part"] == "train" else "heldout",
            group=f"{found['speaker']} {found['book']}",
            text=said.get(found["id"], ""),
        )
        for path, found in matching(tree, pattern)
    }


def _css10(tree: FileTree, texts: bool) -> dict[str, Entry]:
    entries = {}
    there = frozenset(tree.paths)
    for table, found in matching(tree, r"(?P<language>[\w-]+)/transcript\.txt"):
        for line in lines_of(tree, table):
            name, *written = line.split("|")
            path = str(PurePosixPath(table).parent / name)
            if path in there:
                entries[path] = Entry(
                    {"language": found["language"]}, text=written[1] if len(written) > 1 else "".join(written)
                )
    return entries


COMMON_VOICE = Corpus(
    "Common Voice",
    ("CommonVoice", "common-voice", "cv-corpus"),
    "en/clips/common_voice_en_1.mp3, beside en/train.tsv",
    _common_voice,
    suffixes=(".mp3",),
    tables=(".tsv",),
)
MLS = Corpus(
    "Multilingual LibriSpeech",
    ("MLS", "multilingual_librispeech"),
    "mls_german/train/audio/252/2156/252_2156_000000.flac",
    _mls,
    suffixes=(".flac", ".opus"),
    tables=("transcripts.txt",),
)
CSS10 = Corpus(
    "CSS10",
    ("CSS10", "css10"),
    "german/meisterfloh/meisterfloh_0001.wav, beside german/transcript.txt",
    _css10,
    tables=("transcript.txt",),
)
