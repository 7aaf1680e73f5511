"""What is chosen for pictures of one's own, and that it is said."""

from __future__ import annotations

from pathlib import Path

from wganx.config import choices, resolve


def test_what_was_chosen_for_own_pictures_is_said_with_its_reason(tmp_path: Path) -> None:
    resolved = resolve(plugin="image", data=tmp_path, settings=["train.batch_size=8"], environ={})
    assert choices(resolved) == [
        "size auto (default), channels 3 (default), bits auto (default); others by --set dataset.size=...",
        "generator dcgan (scenario digits), critic dcgan (scenario digits), batches of 8 (--set train.batch_size=8), "
        "1,800 steps (scenario digits)",
    ]


def test_a_scenario_that_is_asked_for_by_name_keeps_its_size_on_own_pictures(tmp_path: Path) -> None:
    resolved = resolve(plugin="image", scenario="faces-gpu", data=tmp_path, environ={})
    assert (resolved.run.dataset.name, resolved.dump()["dataset"]["size"]) == ("folder", 64)
    assert choices(resolved)[0].startswith("size 64 (scenario faces-gpu), channels 3 (default)")
    assert all(note.startswith("dataset.count=20000 (from scenario 'faces-gpu'") for note in resolved.notes)
    given = resolve(plugin="image", scenario="faces-gpu", data=tmp_path, settings=["dataset.size=16"], environ={})
    assert (given.dump()["dataset"]["size"], given.notes) == (16, resolved.notes)


def test_a_size_that_was_given_is_not_said_to_be_dropped(tmp_path: Path) -> None:
    resolved = resolve(plugin="image", data=tmp_path, settings=["dataset.size=24"], environ={})
    assert (resolved.dump()["dataset"]["size"], resolved.notes) == (24, ())
    # Nor is a newcomer, who has asked for no scenario, told what the default one says of its own files.
    assert resolve(plugin="image", data=tmp_path, environ={}).notes == ()
