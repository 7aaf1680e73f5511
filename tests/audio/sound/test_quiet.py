"""Sounds that libsndfile would go round in for ever, and files that fail while it reads them."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from wganx_audio.sound.reading import read

from wganx import DataError


def wav() -> bytes:
    content = io.BytesIO()
    soundfile.write(content, np.random.default_rng(0).normal(size=9000) * 0.1, 8000, format="WAV")
    return content.getvalue()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", [b"INFO", b"adtl"])
@pytest.mark.parametrize("back", [8, 12])
def test_a_note_whose_length_leads_back_is_passed_over(tmp_path: Path, kind: bytes, back: int) -> None:
    whole = wav()
    note = b"LIST" + struct.pack("<I", 28) + kind + b"zzzz" + struct.pack("<I", 2**32 - back) + bytes(16)
    content = whole[:12] + note + whole[12:]
    (tmp_path / "a.wav").write_bytes(content)
    expected = read(io.BytesIO(whole), "a.wav")
    torch.testing.assert_close(read(io.BytesIO(content), "a.wav"), expected, rtol=0, atol=0)
    torch.testing.assert_close(read(tmp_path / "a.wav", "a.wav"), expected, rtol=0, atol=0)


def test_what_fails_below_libsndfile_is_told_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 6000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(DataError, match=r"^a.wav cannot be read: .*Input/output error; copy it again"):
        read(Failing(wav()), "a.wav")
    assert capfd.readouterr().err == ""
