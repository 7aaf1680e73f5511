"""WAV files that are read and written in pieces."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wganx import DataError, SampleFormat, Source


class WavSource:
    """A WAV file of 16 bits, as int16 ``(C, T)``."""

    def __init__(self, path: Path) -> None:
        try:
            self.file = wave.open(str(path), "rb")  # noqa: SIM115 - read in pieces
        except (wave.Error, EOFError, OSError) as error:
            raise DataError(f"{path} is no WAV file: {error or 'it ends at once'}") from error
        self.length = self.file.getnframes()
        self.format = SampleFormat(
            axes=("channel", "time"),
            shape=(self.file.getnchannels(), None),
            value_range=(-32768.0, 32767.0),
            rate_hz=float(self.file.getframerate()),
        )

    def read(self, start: int, count: int) -> Tensor:
        self.file.setpos(start)
        values = np.frombuffer(self.file.readframes(min(count, self.length - start)), "<i2").copy()
        return torch.from_numpy(values).reshape(-1, self.file.getnchannels()).T

    def close(self) -> None:
        self.file.close()


class WavSink:
    """A WAV file of 16 bits, with the rate and the channels of the source."""

    def __init__(self, path: Path, like: Source) -> None:
        self.file = wave.open(str(path), "wb")  # noqa: SIM115 - written in pieces
        self.file.setnchannels(like.format.shape[0] or 1)
        self.file.setsampwidth(2)
        self.file.setframerate(round(like.format.rate_hz or 8000))

    def write(self, chunk: Tensor) -> None:
        self.file.writeframes(chunk.T.contiguous().numpy().astype("<i2").tobytes())

    def close(self) -> None:
        self.file.close()
