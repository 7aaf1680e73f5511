"""Everything is written by `wganx.storage`, or into a folder that it made; whoever goes past it is named here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from wganx import Batch, Preview, SampleFormat, UsageError
from wganx.plugins.descriptors import Modality
from wganx.runs import RunFolder
from wganx.runs.looking import draw_preview, write_files, write_picture
from wganx.storage import append_line, files_aside, open_to_add

ROOT = Path(__file__).parents[2]
_WRITERS = frozenset((
    "write_text", "write_bytes", "save_file", "savez", "savetxt", "savefig", "copyfile", "copytree", "copy2",
    "symlink_to", "hardlink_to", "NamedTemporaryFile", "mkstemp", "SummaryWriter",
))  # fmt: skip
_MODULES_THAT_SAVE = frozenset(("np", "numpy", "torch", "export", "soundfile"))
ELSEWHERE = {
    "wganx/storage.py": "the home of writing",
    "wganx/engine/checkpoint.py": "into a folder that whole_folder made",
    "wganx/export/exporting.py": "into a folder that whole_folder made",
    "wganx/export/formats.py": "into a folder that whole_folder made",
    "wganx/data/packed.py": "into a folder that whole_folder made, in the cache",
    "wganx/data/window_index.py": "into memory",
    "wganx/report/decoding.py": "into memory",
    "wganx/runs/events.py": "into memory, and a new file under a name that is free",
    "wganx/hub/bundle.py": "into a temporary folder",
    "wganx/hub/pushing.py": "into a temporary folder",
    "wganx/hub/pulling.py": "into a folder that whole_folder made",
    "wganx/demo/making.py": "into a temporary folder",
    "wganx/demo/serving.py": "into a temporary folder",
    "wganx/templates/__init__.py": "a new plugin, into a folder that was not there",
    "wganx/testing/checks/watching.py": "into a temporary folder",
    "wganx/testing/checks/scenario.py": "into a temporary folder",
    "wganx/testing/fixtures.py": "into the folder of a test",
    "plugins/wganx_points/writers.py": "into a folder that files_aside made",
    "plugins/wganx_points/lab/figure.py": "where the user says",
    "plugins/wganx_audio/sound/writing.py": "into a folder that files_aside made, or where the user says",
    "plugins/wganx_image/writers.py": "into a folder that files_aside made, or where the user says",
    "plugins/wganx_video/writers.py": "into a folder that files_aside made",
    "plugins/wganx_video/video/array_writing.py": "into a folder that files_aside made, or where the user says",
    "plugins/wganx_video/video/container_writing.py": "into a folder that files_aside made, or where the user says",
    "plugins/wganx_video/video/picture_writing.py": "into a folder that files_aside made, or where the user says",
}
"""Who writes by a way of its own, and why nothing that lies there already can lead it elsewhere."""


def writes_of(source: str) -> Iterator[str]:
    """Calls that write a file, by the names they usually have."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        holder = node.func.value if isinstance(node.func, ast.Attribute) else None
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        texts = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name in _WRITERS:
            yield name
        elif name in ("open", "fdopen", "ZipFile", "SoundFile") and any(map(_is_mode_to_write, texts)):
            yield f"{name} to write"
        elif name == "save" and isinstance(holder, ast.Name | ast.Attribute):
            last = holder.id if isinstance(holder, ast.Name) else holder.attr
            if last in _MODULES_THAT_SAVE:
                yield f"{last}.save"
        elif name == "write" and isinstance(holder, ast.Name) and holder.id == "soundfile":
            yield "soundfile.write"


def _is_mode_to_write(text: str) -> bool:
    return set(text) <= set("rwxabt+") and bool(set(text) & set("wxa+"))


def test_nobody_writes_past_the_home_of_writing() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(writes_of(path.read_text(encoding="utf-8")))
        for folder in ("wganx", "plugins")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    past = {path: calls for path, calls in found.items() if calls and path not in ELSEWHERE}
    assert past == {}, "write by wganx.storage (write_whole, whole_folder, files_aside, append_line, open_to_add)"
    assert [path for path in ELSEWHERE if not found.get(path)] == []


def test_writers_are_found() -> None:
    source = (
        "path.write_text('x')\nopen(path, 'w')\npath.open('ab+')\npath.open()\nopen(path, 'rb')\nnp.save(path, x)\n"
        "torch.export.save(x, path)\nsoundfile.write(path, x, 8000)\nfile.write(b'x')\nstore.save(checkpoint, 3)\n"
    )
    assert list(writes_of(source)) == [
        "write_text", "open to write", "open to write", "np.save", "export.save", "soundfile.write",
    ]  # fmt: skip


def _modality() -> Modality:
    """One of a stranger, which writes straight to the paths it is to write to."""

    def write(batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
        (folder / f"{stem}.txt").write_text("a sample", encoding="utf-8")
        return [folder / f"{stem}.txt"]

    def preview(samples: object, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Preview:
        (folder / f"{stem}-0000.txt").write_text("a sound", encoding="utf-8")
        return Preview(torch.zeros(1, 2, 2, dtype=torch.uint8), (folder / f"{stem}-0000.txt",))

    return Modality(name="x", summary="x", axes=("x",), write=write, preview=preview)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file outside of the run."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "outside" / "victim").write_text("untouched", encoding="utf-8")
    return tmp_path / "outside" / "victim"


def test_what_plugins_write_takes_the_place_of_a_link(tmp_path: Path, victim: Path) -> None:
    run, format = tmp_path / "run", SampleFormat(axes=("x",), shape=(2,))
    for name in ("real.txt", "real-0000.txt", "real.png"):
        (run / name).symlink_to(victim)
    samples = torch.zeros(1, 2)
    assert write_files(_modality(), Batch(samples), format, run, "real") == [run / "real.txt"]
    preview = draw_preview(_modality(), samples, Batch(samples), format, run, "real")
    assert preview.files == (run / "real-0000.txt",)
    write_picture(preview.picture, run / "real.png")
    assert victim.read_text(encoding="utf-8") == "untouched"
    assert sorted(path.name for path in run.iterdir()) == ["real-0000.txt", "real.png", "real.txt"]
    assert not any(path.is_symlink() for path in run.iterdir())
    assert (run / "real.txt").read_text(encoding="utf-8") == "a sample"


def test_who_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(aside: Path) -> None:
        (aside / "half").write_text("x", encoding="utf-8")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), files_aside(tmp_path) as aside:
        fail(aside)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_added_through_a_link(tmp_path: Path, victim: Path) -> None:
    link = tmp_path / "run" / "metrics.jsonl"
    link.symlink_to(victim)
    with pytest.raises(OSError, match="it is a link, and nothing is written through one"):
        append_line(link, {"step": 1})
    with pytest.raises(OSError, match="it is a link"):
        open_to_add(link)
    assert victim.read_text(encoding="utf-8") == "untouched"


def test_a_folder_of_the_run_is_no_link(tmp_path: Path, victim: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.samples.symlink_to(victim.parent)
    for folder in (run.samples, run.samples / "own"):
        with pytest.raises(UsageError, match="samples is a link, and what is written into a run stays in it"):
            run.own(folder)
    assert run.own(run.evaluations).is_dir()
    (tmp_path / "link").symlink_to(run.path)  # the run itself may lie elsewhere
    RunFolder(tmp_path / "link").own(tmp_path / "link" / "evaluations")
    run.check_own(tmp_path / "outside")  # what is not of the run is left to who named it
