"""Files with bytes that are gone or wrong: sound, or one line that names the file; never a traceback, never a hang."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from wganx_audio.sound.probing import probe
from wganx_audio.sound.reading import OpenSound, read

import wganx
from wganx import DataError
from wganx.cli import main

RATE, FRAMES = 8000, 3000
KINDS = [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
         ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16")]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tone, encoded) -> Callable[[str, str], bytes]:
    """A file of a kind, written once."""
    sound = tone(440.0, FRAMES / RATE, RATE)
    return functools.cache(lambda container, subtype: encoded(sound, RATE, container, subtype))


@st.composite
def damages(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Cuts a content short, or not, and turns some of its bytes into others: any, or of the first hundred."""
    kept = draw(st.one_of(st.just(1.0), st.floats(0, 1)))
    places = draw(
        st.lists(st.tuples(st.booleans(), st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=6)
    )

    def damage(content: bytes) -> bytes:
        left = bytearray(content[: round(kept * len(content))])
        for early, place, change in places:
            reach = min(len(left), 100) if early else len(left)
            if reach:
                left[int(place * reach)] ^= change
        return bytes(left)

    return damage


@pytest.mark.parametrize(("container", "subtype"), KINDS)
@settings(max_examples=40)
@given(damage=damages())
def test_a_damaged_file_is_sound_or_one_line_that_names_it(whole, container, subtype, damage) -> None:
    content = damage(whole(container, subtype))
    try:
        found = read(io.BytesIO(content), "calls/a.snd")
    except DataError as error:
        told = str(error)
    else:
        assert found.dtype == torch.float32
        assert found.isfinite().all()
        assert found.shape[1] > 0
        return
    assert told.startswith("calls/a.snd ")
    assert "\n" not in told


@pytest.mark.parametrize(
    "listen",
    [lambda content: read(io.BytesIO(content), "a.flac"), lambda content: probe(io.BytesIO(content), "a.flac")],
)
def test_a_header_that_promises_more_than_memory_holds_costs_no_more_than_what_is_there(whole, listen) -> None:
    content = bytearray(whole("FLAC", "PCM_16"))
    content[21] |= 15  # the number of samples, 36 bits
    content[22:26] = b"\xff" * 4
    with pytest.raises(DataError, match=r"a\.flac is (cut short: it ends after 3,000 of 68,719,476,735|damaged: )"):
        listen(bytes(content))


@pytest.mark.parametrize("rate", [1, 2**31 - 1])
def test_a_rate_that_no_sound_has_is_damage(whole, rate: int) -> None:
    content = bytearray(whole("WAV", "PCM_16"))
    content[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(
        DataError, match=f"a.wav is damaged: it says that it has {rate:,} samples a second; copy it again"
    ):
        read(io.BytesIO(content), "a.wav")


@pytest.fixture(scope="module")
def litter(whole, tmp_path_factory) -> Path:
    """A folder of thirty whole files, and of damaged ones of every kind, with a table of all."""
    folder, rng = tmp_path_factory.mktemp("litter"), random.Random(0)
    rows = ["path,speaker"]
    for number in range(30 + 8 * len(KINDS)):
        container, subtype = KINDS[number % len(KINDS)]
        content = bytearray(whole(container, subtype))
        if number >= 30:
            del content[rng.randrange(len(content) + 1) :]
            for place in rng.choices(range(len(content)), k=rng.randrange(4)) if content else ():
                content[place] ^= rng.randrange(1, 256)
        path = Path("anna", f"{number}.{container.lower()}")
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
        rows.append(f"{path},anna")
    (folder / "all.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(("dataset", "place"), [("folder", "anna"), ("table", "all.csv")])
def test_a_scan_lists_what_is_damaged_and_a_training_names_it(litter, dataset: str, place: str) -> None:
    told = CliRunner().invoke(main, ["data", "scan", str(litter / place), "--plugin=audio", f"--dataset={dataset}"])
    assert told.exit_code == 0, told.output
    assert "Traceback" not in told.output
    assert int(told.output.split("unreadable: ")[1].split()[0]) > 20
    with pytest.raises(DataError, match="cannot be read") as failed:
        wganx.train("audio", "wavegan-tiny", data=litter / place, out=litter / f"run-{dataset}", progress=False,
                    overrides={"dataset.name": dataset})  # fmt: skip
    assert "anna" in str(failed.value) or str(litter) in str(failed.value)


def test_a_heading_that_promises_days_of_sound_is_refused(whole, tmp_path: Path) -> None:
    content = bytearray(whole("FLAC", "PCM_16"))
    content[18:26] = b"\x0a\xc4\x42\xff\xff\xff\xff\xff"  # 44.1 kHz, and 2^36 samples
    (tmp_path / "long.flac").write_bytes(content)
    for source in (tmp_path / "long.flac", io.BytesIO(content)):
        with pytest.raises(DataError, match=r"long\.flac is damaged: it says that it has 68,719,476,735 samples"):
            OpenSound(source, "long.flac")
