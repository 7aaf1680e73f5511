"""Every corpus in the layout it is published in, as a tiny tree; what is expected where when it is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from wganx_audio.configs.datasets import CORPORA, CorpusConfig

from wganx import DataContext, DataError
from wganx.data import WindowItems, scan

RATE = 8000


def sound(path: Path, seconds: float = 0.1, rate: int = RATE, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng([seed, len(str(path))]).uniform(-0.3, 0.3, round(seconds * rate))
    soundfile.write(path, noise, rate, format="MP3" if path.suffix == ".mp3" else None)


Tree = Callable[[str, Mapping[str, str] | list[str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes a corpus below a folder: sounds where no text is given."""

    def write(folder: str, files: Mapping[str, str] | list[str]) -> Path:
        for number, name in enumerate(files):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = files[name] if isinstance(files, Mapping) else ""
            if text:
                path.write_text(text, encoding="utf-8")
            else:
                sound(path, seed=number)
        return tmp_path

    return write


def said(items: WindowItems) -> list[dict[str, str]]:
    """The labels of all items in words."""
    return [
        {
            name: items.formats[name].classes[int(value)] if items.formats[name].is_label else spelled(items, value)
            for name, value in items[index].items()
            if name != "sample"
        }
        for index in range(len(items))
    ]


def spelled(items: WindowItems, tokens: torch.Tensor) -> str:
    alphabet = items.formats["text"].signal["alphabet"]
    return "".join(alphabet[token - 1] for token in tokens.tolist() if token)


def test_fsdd_holds_out_the_first_five_takes(tree, opened):
    root = tree(
        "free-spoken-digit-dataset",
        [f"recordings/{d}_{s}_{i}.wav" for d in "07" for s in ("theo", "anna") for i in (0, 4, 5, 12)],
    )
    train, heldout = opened("fsdd", root)
    assert train.paths == tuple(
        sorted(f"recordings/{d}_{s}_{i}.wav" for d in "07" for s in ("theo", "anna") for i in (5, 12))
    )
    assert {path.split("_")[2] for path in heldout.paths} == {"0.wav", "4.wav"}
    assert said(train)[0] == {"digit": "0", "speaker": "anna"}
    assert train.formats["sample"].rate_hz == RATE


_SPOKEN = [
    f"{word}/{who}_nohash_{take}.wav"
    for word in ("yes", "nine")
    for who in ("0a7c2a8d", "ffa76c4a", "11b1df78")
    for take in (0, 1)
]
COMMANDS = {
    **dict.fromkeys(_SPOKEN, ""),
    "_background_noise_/pink_noise.wav": "",
    "validation_list.txt": "yes/ffa76c4a_nohash_0.wav\nyes/ffa76c4a_nohash_1.wav\n",
    "testing_list.txt": "nine/ffa76c4a_nohash_0.wav\nnine/ffa76c4a_nohash_1.wav\n",
}


def test_speech_commands_keep_their_lists(tree, opened):
    root = tree("SpeechCommands/speech_commands_v0.02", COMMANDS)
    train, heldout = opened("speech-commands", root)
    assert len(train) == 8
    assert {path.split("/")[1][:8] for path in heldout.paths} == {"ffa76c4a"}
    assert train.formats["word"].classes == ("nine", "yes")
    assert said(heldout)[0] == {"word": "nine", "speaker": "ffa76c4a"}


def test_speech_commands_without_lists_keep_speakers_together(tree, opened):
    root = tree("sc", [name for name, text in COMMANDS.items() if not text])
    train, heldout = opened("speech-commands", root)
    speakers = [{path.split("/")[-1][:8] for path in items.paths} for items in (train, heldout)]
    assert len(speakers[0] | speakers[1]) == 3
    assert not speakers[0] & speakers[1]


def test_sc09_is_the_digits_of_speech_commands(tree, opened):
    files = {**COMMANDS, "two/0a7c2a8d_nohash_0.wav": ""}
    train, _ = opened("sc09", tree("SpeechCommands/speech_commands_v0.02", files))
    assert train.formats["digit"].classes == ("2", "9")
    assert all("yes" not in path for path in train.paths)


def test_vctk_is_read_by_its_first_microphone(tree, opened):
    folder = "wav48_silence_trimmed"
    lines, speakers = [f"{line:03}" for line in range(1, 13)], ("p225", "s5")
    info = (
        "ID  AGE  GENDER  ACCENTS  REGION COMMENTS \np225  23  F    English    Southern  England\ns5  18  M  British\n"
    )
    root = tree("VCTK-Corpus-0.92", {
        **{f"{folder}/{who}/{who}_{line}_mic{mic}.flac": "" for who in speakers for line in lines for mic in "12"},
        **{f"txt/p225/p225_{line}.txt": f"Please call Stella {line}.\n" for line in lines},
        "speaker-info.txt": info,
    })  # fmt: skip
    train, heldout = opened("vctk", root)
    assert len(train) + len(heldout) == 24
    assert all(path.endswith("_mic1.flac") for path in train.paths)
    assert said(train)[0] == {"speaker": "p225", "accent": "English", "gender": "F"}
    lines_heldout = {path.split("_")[-2] for path in heldout.paths}
    assert not lines_heldout & {path.split("_")[-2] for path in train.paths}  # the same sentence by both speakers
    train, heldout = opened("vctk", root, text=True)  # the texts of one are lost
    assert len(train) + len(heldout) == 12
    assert said(train)[0]["text"].startswith("please call stella")


@pytest.mark.parametrize(
    "name", ["wav48/{who}/{who}_{line:03}.wav", "wav48_silence_trimmed/{who}/{who}_{line:03}_mic2.flac"]
)
def test_vctk_is_read_in_the_older_version_and_by_the_second_microphone_alone(tree, opened, name):
    # Of the kind of OlaWod/FreeVC#66: other copies of VCTK than the newest one found no files.
    files = {name.format(who=who, line=line): "" for who in ("p225", "p226") for line in range(1, 13)}
    info = "ID  AGE  GENDER  ACCENTS  REGION\n225  23  F    English    Southern  England\n"
    train, heldout = opened("vctk", tree("VCTK-Corpus", {**files, "speaker-info.txt": info}))
    assert len(train) + len(heldout) == 24
    assert {found["accent"] for found in said(train)} == {"English", "unknown"}


def test_ljspeech_has_texts_and_no_labels(tree, opened):
    names = [f"LJ001-{number:04}" for number in range(1, 12)]
    table = "".join(f'{name}|In "1455", {name}|in "fourteen", {name}\n' for name in names)
    root = tree("LJSpeech-1.1", {**{f"wavs/{name}.wav": "" for name in names}, "metadata.csv": table})
    train, heldout = opened("ljspeech", root, text=True)
    assert len(train) + len(heldout) == 11
    assert list(train[0]) == ["sample", "text"]
    assert said(train)[0]["text"] == f'in "fourteen", {Path(train.paths[0]).stem.lower()}'


def test_libritts_is_split_by_its_folders(tree, opened):
    files: dict[str, str] = {}
    for part, speaker in (("train-clean-100", 19), ("train-clean-100", 26), ("dev-clean", 84), ("test-other", 367)):
        name = f"{part}/{speaker}/198/{speaker}_198_000000_000001"
        files |= {f"{name}.wav": "", f"{name}.normalized.txt": f"Speaker {speaker}", f"{name}.original.txt": "no"}
    root = tree("LibriTTS", files)
    train, heldout = opened("libritts", root, text=True)
    assert [found["speaker"] for found in said(train)] == ["19", "26"]
    assert [found["text"] for found in said(heldout)] == ["speaker 84", "speaker 367"]


def test_arctic_holds_out_sentences_of_all_speakers(tree, opened):
    files: dict[str, str] = {}
    for speaker in ("bdl", "slt"):
        ids = [f"arctic_a{number:04}" for number in range(1, 25)]
        files |= {f"cmu_us_{speaker}_arctic/wav/{name}.wav": "" for name in ids}
        files[f"cmu_us_{speaker}_arctic/etc/txt.done.data"] = "".join(
            f'( {name} "Says {name}, etc." )\n' for name in ids
        )
    train, heldout = opened("cmu-arctic", tree("ARCTIC", files), text=True)
    sentences = [[Path(path).stem for path in items.paths] for items in (train, heldout)]
    assert not set(sentences[0]) & set(sentences[1])
    assert all(sentences[1].count(name) == 2 for name in sentences[1])
    assert said(train)[0]["text"] == f"says {sentences[0][0]}, etc."


def test_common_voice_keeps_its_tables(tree, opened):
    head = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\n"
    files: dict[str, str] = {}
    for language in ("de", "cy"):
        for part, numbers in (("train", (1, 2, 3)), ("dev", (4,)), ("test", (5,))):
            files[f"{language}/{part}.tsv"] = head + "".join(
                f'{language}{number}{"0" * 20}\tcommon_voice_{language}_{number}.mp3\tSagt "das {number}\t2\t0\t\t\t\n'
                for number in numbers
            )
            files |= {f"{language}/clips/common_voice_{language}_{number}.mp3": "" for number in numbers}
    files["de/validated.tsv"] = head + "x\tcommon_voice_de_9.mp3\tmore\t2\t0\t\t\t\tde\n"
    del files["cy/clips/common_voice_cy_2.mp3"]  # many keep a part
    train, heldout = opened("common-voice", tree("cv-corpus", files), text=True)
    assert (len(train), len(heldout)) == (5, 4)
    assert train.formats["language"].classes == ("cy", "de")
    assert said(train)[0]["text"] == 'sagt "das 1'


def test_rows_that_are_torn_or_shifted_harm_nothing(tree, opened):
    # Of the kinds of pytorch/audio#2838 and common-voice/common-voice#1611.
    head = "client_id\tpath\tsentence\tup_votes\n"
    sentences = ['a "quote without an end', "a line\u2028within\x85it", "plain", "another", "one more", "the last"]
    rows = [f"who{number}\tclip_{number}.mp3\t{text}\t2" for number, text in enumerate(sentences)]
    table = head + "\n".join([*rows[:3], "thirties", "who9\t\t\t2", *rows[3:]]) + "\n"
    files = {f"fr/clips/clip_{number}.mp3": "" for number in range(6)}
    train, heldout = opened("common-voice", tree("CommonVoice", {**files, "fr/validated.tsv": table}), text=True)
    assert len(train) + len(heldout) == 6
    texts = {found["text"] for found in (*said(train), *said(heldout))}
    assert {'a "quote without an end', "a line within it"} <= texts


def test_mls_has_flac_or_opus(tree, opened):
    files: dict[str, str] = {}
    for language in ("german", "polish"):
        for part, speaker in (("train", 252), ("dev", 9), ("test", 10)):
            name = f"{speaker}_2156_000000"
            files[f"mls_{language}/{part}/audio/{speaker}/2156/{name}.flac"] = ""
            files[f"mls_{language}/{part}/transcripts.txt"] = f"{name}\tes war einmal {speaker}\n"
    train, heldout = opened("mls", tree("MLS", files), text=True)
    assert [found["language"] for found in said(train)] == ["german", "polish"]
    assert said(heldout)[0]["text"] == "es war einmal 9"


def test_a_single_language_of_mls_may_be_the_root(tree, opened):
    files = [f"train/audio/1/2/1_2_{number:06}.flac" for number in range(3)] + ["dev/audio/4/5/4_5_000000.flac"]
    train, heldout = opened("mls", tree("mls_german", files) / "mls_german")
    assert (len(train), len(heldout)) == (3, 1)


def test_css10_reads_its_transcripts(tree, opened):
    files: dict[str, str] = {}
    for language, book in (("german", "meisterfloh"), ("finnish", "ehrensvard")):
        names = [f"{book}/{book}_{number:04}.wav" for number in range(12)]
        files |= dict.fromkeys((f"{language}/{name}" for name in names), "")
        files[f"{language}/transcript.txt"] = "".join(f"{name}|Raw, 1|raw, one|1.5\n" for name in names)
    train, heldout = opened("css10", tree("CSS10", files), text=True)
    assert len(train) + len(heldout) == 24
    assert said(train)[0] == {"language": "finnish", "text": "raw, one"}


@pytest.mark.parametrize("flat", [False, True])
def test_esd_has_two_layouts(tree, opened, flat):
    files: dict[str, str] = {}
    for speaker in ("0001", "0011"):
        lines = []
        for emotion, first in (("Neutral", 0), ("Angry", 350)):
            for sentence in range(1, 31):
                part = ("evaluation", "test", "train")[min(sentence // 10, 2)]
                name = f"{speaker}_{first + sentence:06}"
                files[f"{speaker}/{emotion}/{'' if flat else f'{part}/'}{name}.wav"] = ""
                lines.append(f"{name}\tSentence {sentence}.\t{emotion}\n")
        files[f"{speaker}/{speaker}.txt"] = "".join(lines)
    train, heldout = opened("esd", tree("Emotion Speech Dataset", files), text=True)
    assert len(train) + len(heldout) == 120
    if not flat:
        assert len(heldout) == 76
    sentences = [{(int(Path(path).stem[-6:]) - 1) % 350 for path in items.paths} for items in (train, heldout)]
    assert not sentences[0] & sentences[1]
    assert said(train)[0]["language"] == "mandarin"
    assert {found["emotion"] for found in said(train)} == {"neutral", "angry"}


def test_ravdess_says_all_in_its_names(tree, opened):
    files = [
        f"Actor_{actor:02}/03-01-{emotion:02}-{1 + (emotion > 4):02}-01-02-{actor:02}.wav"
        for actor in (1, 2)
        for emotion in range(1, 9)
    ]
    train, heldout = opened("ravdess", tree("RAVDESS", [*files, "Actor_01/01-01-06-01-02-01-01.wav"]))
    assert len(train) + len(heldout) == 16
    everything = [*said(train), *said(heldout)]
    assert {"emotion": "fearful", "intensity": "strong", "speaker": "02", "gender": "female"} in everything
    assert {"emotion": "neutral", "intensity": "normal", "speaker": "01", "gender": "male"} in everything


def test_crema_d_says_all_in_its_names(tree, opened):
    names = [
        f"AudioWAV/{actor}_IEO_{emotion}_{level}.wav"
        for actor in (1001, 1002)
        for emotion in ("ANG", "NEU")
        for level in ("HI", "XX", "LO")
    ]
    train, heldout = opened("crema-d", tree("CREMA-D", [*names, "AudioWAV/1040_ITH_SAD_X.wav"]), text=True)
    found = [*said(train), *said(heldout)]
    assert {"emotion": "angry", "intensity": "high", "speaker": "1001", "text": "it's eleven o'clock"} in found
    assert {
        "emotion": "sad",
        "intensity": "unspecified",
        "speaker": "1040",
        "text": "i think i have a doctor's appointment",
    } in found


def test_emodb_says_all_in_its_names(tree, opened):
    files = [f"wav/{speaker}a01{emotion}a.wav" for speaker in ("03", "16") for emotion in "WLEAFTN"]
    train, heldout = opened("emodb", tree("emodb", files), split="speaker")
    found = said(train)
    assert [{path.split("/")[1][:2] for path in items.paths} for items in (train, heldout)] in (
        [{"03"}, {"16"}],
        [{"16"}, {"03"}],
    )
    assert {one["emotion"] for one in found} == {"angry", "bored", "disgusted", "fearful", "happy", "sad", "neutral"}


def test_iemocap_takes_what_listeners_agreed_on(tree, opened):
    names = [f"Ses01F_impro01_{who}{number:03}" for who in "FM" for number in range(8)]
    felt = ["neu", "ang", "xxx", "hap", "exc", "sad", "fru", "sur"] * 2
    root = tree("IEMOCAP", {
        **{f"Session1/sentences/wav/Ses01F_impro01/{name}.wav": "" for name in names},
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": "% [START - END]\n\n" + "".join(
            f"[{number}.2901 - 8.2357]\t{name}\t{emotion}\t[2.5000, 2.5000, 2.5000]\nC-E2:\tNeutral;\t()\n"
            for number, (name, emotion) in enumerate(zip(names, felt))
        ),
        "Session1/dialog/transcriptions/Ses01F_impro01.txt": "".join(
            f"{name} [006.2901-008.2357]: Excuse me.\n" for name in names
        ),
    })  # fmt: skip
    train, heldout = opened("iemocap", root, text=True)
    assert len(train) + len(heldout) == 14
    assert {found["speaker"] for found in (*said(train), *said(heldout))} == {"Ses01F", "Ses01M"}
    assert said(train)[0]["text"] == "excuse me."


def test_every_corpus_is_tried_here():
    named = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in CORPORA if f'opened("{name}"' not in named] == []


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_that_is_not_there_says_what_is_expected_where(catalog, name, tmp_path):
    dataset = catalog.dataset(name)
    sound(tmp_path / "other" / "x.wav")
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match=r"no .* in .*files such as .* are wanted there.*set dataset\.root"):
            dataset.factory("open")(dataset.config(root=root), "train", DataContext())
    assert dataset.card.licence
    assert not dataset.card.offline


def test_a_part_of_a_corpus_can_be_kept(tree, opened):
    root = tree("fsdd", [f"recordings/{d}_{s}_{i}.wav" for d in "01" for s in ("a", "b", "c") for i in (0, 7)])
    train, _ = opened("fsdd", root, only={"speaker": ("a", "c"), "digit": ("1",)})
    assert train.paths == ("recordings/1_a_7.wav", "recordings/1_c_7.wav")
    assert list(train.formats) == ["sample", "speaker"]  # the digit is always the same
    for only, message in (
        ({"voice": ("a",)}, "dataset.only names 'voice', and the labels are: digit, speaker"),
        ({"speaker": ("d",)}, "dataset.only.speaker names 'd', and there are: a, b, c"),
    ):
        with pytest.raises(DataError, match=message):
            opened("fsdd", root, only=only)
    with pytest.raises(DataError, match="no label 'voice' to split by; labels: digit, speaker"):
        opened("fsdd", root, split="voice")
    by_speaker, heldout = opened("fsdd", root, split="speaker")
    assert not {name[13] for name in by_speaker.paths} & {name[13] for name in heldout.paths}


def test_texts_are_asked_of_corpora_that_have_them(tree, opened):
    root = tree("LJSpeech-1.1", [f"wavs/LJ001-{number:04}.wav" for number in range(1, 5)])
    opened("ljspeech", root)
    with pytest.raises(DataError, match=r"4 of 4 recordings .* have no text, .* first; set dataset\.text=false"):
        opened("ljspeech", root, text=True)


def test_a_scan_shows_classes_and_speakers_across_splits(tree, catalog):
    root = tree(
        "fsdd", ["recordings/0_a_0.wav", "recordings/0_a_7.wav", "recordings/1_b_8.wav", "recordings/1_b_9.wav"]
    )
    dataset = catalog.dataset("fsdd")
    report = scan(root, dataset.suffixes, dataset.factory("probe"), listing=dataset.factory("listing")(root))
    assert report.labels["speaker"] == {"a": {"train": 1, "heldout": 1}, "b": {"train": 2, "heldout": 0}}
    assert report.how == "as published"
    assert report.properties["rate"] == {"8,000 Hz": 4}


def test_a_corpus_has_one_configuration():
    assert {"root", "split", "only", "text"} <= set(CorpusConfig.model_fields)
