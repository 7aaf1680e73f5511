"""TensorBoard's events of a run: numbers, findings, pictures, sounds and clips, beside the run's own records."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image
from torch import Tensor

from wganx.plugins.guard import one_line

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

MOST_FILES = 8
"""Sounds and clips of one step: they lie in samples/ as well, and the event file is read whole."""

_SOUNDS = frozenset((".wav", ".flac", ".ogg", ".mp3"))
_CLIPS = frozenset((".gif", ".webp"))
_UNKNOWN = "TensorBoard shows clips as GIF and WebP alone; those that are {kinds} lie in samples/"


class Events:
    """Writes an event file into the folder of a run, in this thread, so that a disk that fails is met where it is used.

    What TensorBoard cannot be given is said through `note`, and costs nothing else.
    """

    def __init__(self, folder: Path, note: Callable[[str], None]) -> None:
        self._note = note
        self._file: BinaryIO | None = None
        with self._heard():
            self._file = _new_file(folder)
            self._write(file_version="brain.Event:2")

    def void_after(self, step: int) -> None:
        """What the folder's files say of later steps does not hold any more."""
        if step:
            from tensorboard.compat.proto.event_pb2 import SessionLog

            self._write(step=step + 1, session_log=SessionLog(status=SessionLog.START))

    def numbers(self, step: int, scalars: Mapping[str, float]) -> None:
        """One point of every curve."""
        from torch.utils.tensorboard.summary import scalar

        for name, value in scalars.items():
            self._write(step=step, summary=scalar(name, value))  # type: ignore[no-untyped-call]

    def text(self, step: int, tag: str, text: str) -> None:
        """Words."""
        from torch.utils.tensorboard import summary

        self._write(step=step, summary=summary.text(tag, text))  # type: ignore[no-untyped-call]

    def picture(self, step: int, tag: str, picture_CHW: Tensor) -> None:
        """A picture, uint8 ``(C, H, W)``."""
        from torch.utils.tensorboard.summary import image

        self._write(step=step, summary=image(tag, picture_CHW, dataformats="CHW"))  # type: ignore[no-untyped-call]

    def files(self, step: int, tag: str, paths: Sequence[Path]) -> None:
        """The first `MOST_FILES` sounds and clips among `paths`, each under ``tag/NUMBER``."""
        try:
            given = [Path(path) for path in paths]  # a plugin may have named them as text
        except TypeError as error:
            self._note(f"TensorBoard does not get the files of step {step}: {one_line(error)}")
            return
        known = [path for path in given if path.suffix.lower() in _SOUNDS | _CLIPS]
        if unknown := sorted({path.suffix for path in given} - {path.suffix for path in known}):
            self._note(_UNKNOWN.format(kinds=" or ".join(unknown)))
        for path in known[:MOST_FILES]:
            name = f"{tag}/{path.stem.rpartition('-')[2]}"
            try:
                summary = _sound(name, path) if path.suffix.lower() in _SOUNDS else _clip(name, path)
            except Exception as error:
                self._note(f"TensorBoard does not get {path.name}: {one_line(error)}")
            else:
                self._write(step=step, summary=summary)

    def flush(self) -> None:
        """Everything so far is on disk."""
        with self._heard():
            if self._file is not None:
                self._file.flush()

    def close(self) -> None:
        """No more events."""
        with self._heard():
            if self._file is not None:
                self._file.close()
        self._file = None

    def _write(self, **facts: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        with self._heard():
            if self._file is not None:
                RecordWriter(self._file).write(Event(wall_time=time.time(), **facts).SerializeToString())

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Where the file cannot be written, there is none from then on."""
        try:
            yield
        except OSError as error:
            failed, self._file = self._file, None
            with suppress(OSError):  # what was not written yet cannot be now
                if failed is not None:
                    failed.close()
            self._note(f"no more TensorBoard events are written for this run: {error}")


def _new_file(folder: Path) -> BinaryIO:
    """Files are read in the order of their names, which begin with the time."""
    stem = f"events.out.tfevents.{time.time():010.0f}.{socket.gethostname()}.{os.getpid()}"
    for number in count():
        with suppress(FileExistsError):
            return (folder / f"{stem}.{number}").open("xb")
    raise AssertionError("names have no end")


def _sound(tag: str, path: Path) -> Summary:
    """The sound as it is where it is a WAV file, the one kind that TensorBoard has a name for; else decoded to one."""
    import soundfile
    from tensorboard.compat.proto.summary_pb2 import Summary

    facts = soundfile.info(path)
    if facts.format == "WAV":
        content = path.read_bytes()
    else:
        aside = io.BytesIO()
        soundfile.write(aside, soundfile.read(path)[0], facts.samplerate, format="WAV", subtype="PCM_16")
        content = aside.getvalue()
    audio = Summary.Audio(
        sample_rate=facts.samplerate, num_channels=facts.channels, length_frames=facts.frames,
        encoded_audio_string=content, content_type="audio/wav",
    )  # fmt: skip
    return Summary(value=[Summary.Value(tag=tag, audio=audio)])


def _clip(tag: str, path: Path) -> Summary:
    """The clip as the bytes of a GIF, which TensorBoard's pictures play; its own way of clips needs moviepy."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    with Image.open(path) as clip:
        width, height = clip.size
        if clip.format == "GIF":
            content = path.read_bytes()
        else:
            aside = io.BytesIO()
            clip.save(aside, "gif", save_all=True, loop=0)
            content = aside.getvalue()
    image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=content)
    return Summary(value=[Summary.Value(tag=tag, image=image)])
