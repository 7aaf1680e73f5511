"""A table lists recordings, with labels, texts and splits in columns."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from wganx import DataError
from wganx.cli import main

NAMES = [f"clips/{number}.wav" for number in range(12)]


@pytest.fixture
def table(tmp_path):
    for number, name in enumerate(NAMES):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, np.sin(np.arange(800) * (1 + number) / 9) * 0.2, 8000)

    def write(text, name="clips.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        return tmp_path / name

    return write


def rows(line, head="path,speaker,mood,text,split"):
    return "\n".join([head, *(line.format(name=name, number=number) for number, name in enumerate(NAMES))]) + "\n"


def test_columns_are_labels_texts_and_splits(table, opened):
    path = table("path,speaker,mood,text,split\n" + "".join(
        f'{name},{"ab"[n % 2]},{"xyz"[n % 3]},"Nummer {n}, bitte",{"test" if n < 3 else "train"}\n'
        for n, name in enumerate(NAMES)
    ))  # fmt: skip
    train, heldout = opened("table", path, text=True)
    assert heldout.paths == tuple(NAMES[:3])
    assert {name: train.formats[name].classes for name in ("speaker", "mood")} == {
        "speaker": ("a", "b"),
        "mood": ("x", "y", "z"),
    }
    assert train.formats["text"].tokens("nummer 3, bitte") == train[train.paths.index(NAMES[3])]["text"].tolist()
    only, _ = opened("table", path, labels=("mood",))
    assert list(only.formats) == ["sample", "mood"]
    by_speaker, other = opened("table", path, split="speaker")
    assert len(by_speaker) == len(other) == 6


def test_other_separators_and_paths_are_read(table, opened, tmp_path):
    table(rows("{name}\ta", "path\tspeaker"), "clips.tsv")
    table("\n".join(["path;speaker", *(f"{tmp_path / name};s{n % 2}" for n, name in enumerate(NAMES))]), "semi.csv")
    table(rows(".\\clips\\{number}.wav,x", "path,speaker"), "win.csv")
    table(rows("{name} | s{number}", "Path | speaker") + "\n" + f"{NAMES[0]}|s0\n", "spaced.csv")
    for name in ("clips.tsv", "semi.csv", "win.csv", "spaced.csv"):
        train, heldout = opened("table", tmp_path / name)
        assert len(train) + len(heldout) == 12
    assert train.formats["speaker"].classes == tuple(sorted(f"s{number}" for number in range(12)))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("file,speaker\nx,y\n", {}, r"clips\.csv has no column 'path'; its columns: file, speaker"),
        ("clips/0.wav|a\nclips/1.wav|b\n", {}, r"its first line is to name them, that of the files path"),
        ("", {}, r"clips\.csv has no rows below its first line"),
        ("path,speaker\n", {}, r"clips\.csv has no rows below its first line"),
        ("path,speaker\nclips/0.wav\n", {}, r"clips\.csv, line 2: it has another number of cells than the first line"),
        ("path,split\nclips/0.wav,maybe\n", {}, r"clips\.csv, line 2: a split is train or test, and not 'maybe'"),
        (
            "path,speaker\nclips/99.wav,a\nclips/0.wav,b\n",
            {},
            r"line 2: there is no sound clips/99\.wav in .*; correct the line, or take it out",
        ),
        ("path,speaker\nclips/1,a\n", {}, r"line 2: clips/1 is clips/1\.wav in .*; write the ending, too"),
        ("path,speaker\nC:\\my\\0.wav,a\n", {}, r"line 2: C:\\my\\0\.wav does not lie below .*; move the table"),
        ("path,speaker\nclips/0.wav,\n", {}, r"line 2: clips/0\.wav has no speaker; give it one, or take the line out"),
        (
            "path,speaker\nclips/0.wav,a\nclips/1.wav,b\nclips/0.wav,b\n",
            {},
            r"line 4: clips/0\.wav is listed a second time, and not as before",
        ),
        ("path,speaker\n/elsewhere/0.wav,a\n", {}, r"line 2: /elsewhere/0\.wav does not lie below .*; move the table"),
        ("path,speaker\nclips/0.wav,a\n", {"text": True}, r"has no column 'text', which dataset\.text asks for"),
        ("path,speaker\nclips/0.wav,a\n", {"labels": ("mood",)}, r"has no column 'mood'; its columns: path, speaker"),
        ("path,speaker\nclips/0.wav,a\n", {"split": "speaker"}, r"all 1 files belong to one group, 'a'"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(table, opened, text, options, message):
    with pytest.raises(DataError, match=message):
        opened("table", table(text), **options)


def test_no_table_and_no_utf8_are_named(table, opened, tmp_path):
    with pytest.raises(DataError, match=r"is no table; dataset\.root is to be a file ending in \.csv, \.tsv, \.txt"):
        opened("table", tmp_path / "clips")
    (tmp_path / "old.csv").write_bytes("path,speaker\nclips/0.wav,J\u00fcrgen\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"old\.csv is not in UTF-8 .*; save it in that encoding"):
        opened("table", tmp_path / "old.csv")


def test_between_bars_a_quotation_mark_is_text(table, opened):
    said = ['"Hello," he said', 'and "then', *(f"line {number}" for number in range(2, 12))]
    path = table("path|text\n" + "".join(f"{name}|{text}\n" for name, text in zip(NAMES, said)), "metadata.csv")
    train, heldout = opened("table", path, text=True)
    assert len(train.paths) + len(heldout.paths) == 12
    assert '"' in train.formats["text"].signal["alphabet"]


def test_a_text_belongs_to_all_of_a_recording(table, opened, tmp_path):
    path = table(rows("{name},hello {number}", "path,text"))
    train, _ = opened("table", path, text=True)
    assert train.formats["sample"].shape == (1, 1024)  # a quarter more than the longest one
    with pytest.raises(DataError, match=r"lasts 0\.10 s and a window 0\.06 s, and its text belongs to all of it"):
        opened("table", path, text=True, length=512)
    cut, _ = opened("table", path, length=512)
    assert len(cut) > len(cut.paths)


def test_a_scan_reads_a_table_as_training_does(table):
    path = table(rows("{name},s{number},train", "path,speaker,split"))
    result = CliRunner().invoke(main, ["data", "scan", str(path), "--plugin", "audio", "--dataset", "table"])
    assert result.exit_code == 0, result.output
    assert "12 files" in result.output
    assert "speaker: 12 classes, 1 file each" in result.output
    assert "rate: 8,000 Hz 12" in result.output


def test_a_dataset_that_cannot_be_scanned_is_named(table):
    result = CliRunner().invoke(main, ["data", "scan", ".", "--plugin", "audio", "--dataset", "tabel"])
    assert result.exit_code == 2
    assert "no files of a dataset 'tabel' can be scanned; did you mean 'table'?" in result.output
