"""TensorBoard's events of a run: numbers, findings, pictures, sounds and clips, beside the run's own records."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """Writes the event file of a run that goes on after `start` steps.

    What TensorBoard cannot be given is said through `note`, and costs nothing else.
    """

    def __init__(self, folder: Path, start: int, note: Callable[[str], None]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._note = note
        # Events of later steps, left by a run that was killed or rolled back, are void from here on.
        try:
            self._writer: Any = SummaryWriter(str(folder), purge_step=start + 1 if start else None)
        except (OSError, UnicodeError) as error:  # a folder name that is no UTF-8 is none to TensorBoard
            note(f"no TensorBoard events are written for this run: {error}")
            self._writer = _Nowhere()

    def numbers(self, step: int, scalars: Mapping[str, float]) -> None:
        """One point of every curve."""
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step)

    def text(self, step: int, tag: str, text: str) -> None:
        """Words."""
        self._writer.add_text(tag, text, step)

    def picture(self, step: int, tag: str, picture_CHW: Tensor) -> None:
        """A picture, uint8 ``(C, H, W)``."""
        self._writer.add_image(tag, picture_CHW, step)

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
                self._writer.file_writer.add_summary(summary, step)

    def flush(self) -> None:
        """Everything so far is on disk."""
        self._writer.flush()

    def close(self) -> None:
        """No more events."""
        self._writer.close()


class _Nowhere:
    """Where events would go that cannot be written."""

    def __getattr__(self, name: str) -> _Nowhere:
        return self

    def __call__(self, *anything: object, **named: object) -> None:
        return None


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
