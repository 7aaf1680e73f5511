"""Corpora of single words."""

from __future__ import annotations

from wganx.data import Entry, FileTree
from wganx_audio.datasets.corpora.stating import Corpus, lines_of, matching

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEST_TAKES = 5


def _fsdd(tree: FileTree, texts: bool) -> dict[str, Entry]:
    return {
        path: Entry(
            {"digit": found["digit"], "speaker": found["speaker"]},
            "heldout" if int(found["take"]) < _TEST_TAKES else "train",
            text=DIGITS[int(found["digit"])],
        )
        for path, found in matching(tree, r"(?P<digit>\d)_(?P<speaker>[^/_]+)_(?P<take>\d+)\.wav")
    }


def _speech_commands(tree: FileTree, texts: bool) -> dict[str, Entry]:
    listed = {
        f"{path.rpartition('/')[0]}/{line.strip()}".lstrip("/")
        for path, _ in matching(tree, r"(?:validation|testing)_list\.txt")
        for line in lines_of(tree, path)
    }
    return {
        path: Entry(
            {"word": found["word"], "speaker": found["speaker"]},
            ("heldout" if path in listed else "train") if listed else None,
            group=found["speaker"],
            text=found["word"],
        )
        for path, found in matching(tree, r"(?P<word>[a-z]+)/(?P<speaker>[0-9a-f]{8})_nohash_\d+\.wav")
    }


def _sc09(tree: FileTree, texts: bool) -> dict[str, Entry]:
    number = {name: str(digit) for digit, name in enumerate(DIGITS)}
    return {
        path: Entry(
            {"digit": number[entry.text], "speaker": entry.labels["speaker"]}, entry.split, entry.group, entry.text
        )
        for path, entry in _speech_commands(tree, texts).items()
        if entry.text in number
    }


FSDD = Corpus(
    "Free Spoken Digit Dataset", ("fsdd", "FSDD", "free-spoken-digit-dataset"), "recordings/7_jackson_32.wav", _fsdd
)
_COMMANDS_FOLDERS = ("SpeechCommands/speech_commands_v0.02", "speech_commands_v0.02", "SpeechCommands")
SPEECH_COMMANDS = Corpus(
    "Speech Commands", _COMMANDS_FOLDERS, "yes/0a7c2a8d_nohash_0.wav", _speech_commands, tables=("_list.txt",)
)
SC09 = Corpus("Speech Commands", _COMMANDS_FOLDERS, "seven/0a7c2a8d_nohash_0.wav", _sc09, tables=("_list.txt",))
