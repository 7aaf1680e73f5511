"""Corpora of acted emotions."""

from __future__ import annotations

import re

from wganx.data import Entry, FileTree
from wganx_audio.datasets.corpora.stating import Corpus, lines_of, matching

_ESD_SENTENCES = 350
_ESD_MANDARIN = 10
_ESD_SPLITS = {"train": "train", "evaluation": "heldout", "test": "heldout", None: None}


def _esd(tree: FileTree, texts: bool) -> dict[str, Entry]:
    said = {}
    if texts:
        for path, _ in matching(tree, r"(?:00\d\d/00\d\d|transcription)\.txt"):
            for line in lines_of(tree, path):
                name, *written = line.split("\t")
                if written:
                    said[name.strip()] = written[0].strip()
    pattern = (
        r"(?P<speaker>00\d\d)/(?P<emotion>angry|happy|neutral|sad|surprise)/"
        r"(?:(?P<part>train|evaluation|test)/)?(?P<id>(?P=speaker)_(?P<number>\d+))\.wav"
    )
    return {
        path: Entry(
            {
                "speaker": found["speaker"],
                "emotion": found["emotion"].lower(),
                "language": "mandarin" if int(found["speaker"]) <= _ESD_MANDARIN else "english",
            },
            _ESD_SPLITS[found["part"]],  # type: ignore[arg-type]  # one of the splits
            # All say the same sentences in every emotion, so that without folders what is held out is new of everybody.
            group=str((int(found["number"]) - 1) % _ESD_SENTENCES),
            text=said.get(found["id"], ""),
        )
        for path, found in matching(tree, f"(?i:{pattern})")
    }


_RAVDESS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
_RAVDESS_TEXTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}


def _ravdess(tree: FileTree, texts: bool) -> dict[str, Entry]:
    pattern = (
        r"03-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<statement>0[12])-(?P<take>0[12])-"
        r"(?P<actor>\d\d)\.wav"
    )
    return {
        path: Entry(
            {
                "emotion": _RAVDESS[int(found["emotion"]) - 1],
                "intensity": {"01": "normal", "02": "strong"}[found["intensity"]],
                "speaker": found["actor"],
                "gender": "male" if int(found["actor"]) % 2 else "female",
                "voice": {"01": "speech", "02": "song"}[found["channel"]],
            },
            text=_RAVDESS_TEXTS[found["statement"]],
        )
        for path, found in matching(tree, pattern)
    }


_CREMA = {
    "ANG": "angry", "DIS": "disgusted", "FEA": "fearful", "HAP": "happy", "NEU": "neutral", "SAD": "sad",
}  # fmt: skip
_CREMA_LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
_CREMA_TEXTS = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}


def _crema_d(tree: FileTree, texts: bool) -> dict[str, Entry]:
    pattern = r"(?P<actor>1\d\d\d)_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>LO|MD|HI|XX?)\.wav"
    return {
        path: Entry(
            {
                "emotion": _CREMA[found["emotion"]],
                "intensity": _CREMA_LEVELS[found["level"]],
                "speaker": found["actor"],
            },
            text=_CREMA_TEXTS[found["sentence"]],
        )
        for path, found in matching(tree, pattern)
        if found["emotion"] in _CREMA and found["sentence"] in _CREMA_TEXTS
    }


_EMODB = {
    "W": "angry", "L": "bored", "E": "disgusted", "A": "fearful", "F": "happy", "T": "sad", "N": "neutral",
}  # fmt: skip
_EMODB_TEXTS = {
    "a01": "Der Lappen liegt auf dem Eisschrank",
    "a02": "Das will sie am Mittwoch abgeben",
    "a04": "Heute abend könnte ich es ihm sagen",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück",
    "a07": "In sieben Stunden wird es soweit sein",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen",
}


def _emodb(tree: FileTree, texts: bool) -> dict[str, Entry]:
    pattern = r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[WLEAFTN])[a-z]?\.wav"
    return {
        path: Entry(
            {"emotion": _EMODB[found["emotion"]], "speaker": found["speaker"]},
            text=_EMODB_TEXTS[found["sentence"]],
        )
        for path, found in matching(tree, pattern)
        if found["sentence"] in _EMODB_TEXTS
    }


_IEMOCAP = {
    "ang": "angry", "hap": "happy", "exc": "excited", "sad": "sad", "neu": "neutral", "fru": "frustrated",
    "fea": "fearful", "sur": "surprised", "dis": "disgusted", "oth": "other",
}  # fmt: skip


def _iemocap(tree: FileTree, texts: bool) -> dict[str, Entry]:
    felt, said = {}, {}
    for path, _ in matching(tree, r"dialog/EmoEvaluation/Ses\w+\.txt"):
        for line in lines_of(tree, path):
            if found := re.match(r"\[[\d. -]+\]\t(\S+)\t(\w{3})\t", line):
                felt[found[1]] = found[2]
    for path, _ in matching(tree, r"dialog/transcriptions/Ses\w+\.txt") if texts else ():
        for line in lines_of(tree, path):
            if found := re.match(r"(\S+) \[[\d.-]+\]: (.*)", line):
                said[found[1]] = found[2]
    pattern = r"sentences/wav/\w+/(?P<id>(?P<session>Ses\d\d)[FM]_\w+_(?P<gender>[FM])\w+)\.wav"
    return {
        path: Entry(
            {
                "emotion": _IEMOCAP[felt[found["id"]]],
                "speaker": found["session"] + found["gender"],
                "gender": {"F": "female", "M": "male"}[found["gender"]],
            },
            text=said.get(found["id"], ""),
        )
        for path, found in matching(tree, pattern)
        if felt.get(found["id"]) in _IEMOCAP  # where listeners did not agree there is none
    }


ESD = Corpus(
    "Emotional Speech Database",
    ("Emotion Speech Dataset", "Emotional Speech Dataset (ESD)", "ESD"),
    "0011/Angry/train/0011_000371.wav",
    _esd,
    tables=(".txt",),
)
RAVDESS = Corpus(
    "RAVDESS",
    ("RAVDESS", "Audio_Speech_Actors_01-24"),
    "Actor_01/03-01-06-01-02-01-01.wav",
    _ravdess,
)
CREMA_D = Corpus("CREMA-D", ("CREMA-D", "AudioWAV"), "AudioWAV/1001_IEO_ANG_HI.wav", _crema_d)
EMODB = Corpus("EmoDB", ("EmoDB", "emodb"), "wav/03a01Fa.wav", _emodb)
IEMOCAP = Corpus(
    "IEMOCAP",
    ("IEMOCAP", "IEMOCAP_full_release"),
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
    _iemocap,
    tables=(".txt",),
)
