"""What a scan says of a film."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from wganx_video.video.probing import probe
from wganx_video.video.writing import write_video

from wganx import DataError

pytest.importorskip("av", reason="needs the extra video")


def probed(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return dict(probe(file, path.name))


def test_a_film_is_described(tmp_path: Path, film) -> None:
    path = film(tmp_path / "a.mp4", frames=40, rate=Fraction(30000, 1001), sound="aac", rotation=-90)
    assert probed(path) == {
        "frames": "32 to 63",
        "size": "48x64",
        "channels": "3",
        "rate": "29.97",
        "format": "mp4 h264",
        "sound": "aac 48,000 Hz, 1 channel",
        "turned": "90 degrees clockwise, as noted",
    }
    assert probed(film(tmp_path / "b.mkv", "ffv1", frames=3, pixels="yuv420p10le"))["depth"] == "10 bit"


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ([9], "a single frame"),
        ([0, 9, 0, 9], "black"),
        ([90] * 9, "constant: all frames are the same"),
        ([10, 10, 90, 90, 10, 10, 90, 90], "duplicate frames: more than a quarter are as the one before"),
        ([10, 20, 30, 40, 50, 60, 70, 80], None),
    ],
)
def test_what_may_be_amiss_is_said(levels: list[int], told: str | None) -> None:
    content = io.BytesIO()
    np.save(content, np.array(levels, np.uint8).reshape(-1, 1, 1) * np.ones((8, 8), np.uint8))
    assert probe(content, "a.npy").get("look") == told


def test_a_rate_that_varies_is_said(tmp_path: Path, film) -> None:
    path = film(tmp_path / "a.mp4", frames=10, times=[0, 40, 80, 120, 160, 500, 540, 580, 620, 660])
    assert probed(path)["look"] == "a frame rate that varies"


def test_a_film_is_decoded_whole_and_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, film) -> None:
    monkeypatch.setattr("wganx_video.video.probing._PIECE_BYTES", 5 * 48 * 64 * 3)
    assert probed(film(tmp_path / "a.mp4", frames=23))["frames"] == "16 to 31"
    path = write_video(tmp_path / "a.gif", torch.rand(20, 3, 16, 16) * 255)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"a\.gif is damaged: \d+ of its frames are there"):
        probed(path)
