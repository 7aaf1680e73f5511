"""Whole runs that grow: to 128 px with tiny networks, and gone on with inside a fade, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import wganx
from wganx import ConfigError
from wganx.cli import main
from wganx.engine import read_checkpoint

TINY = {
    "generator.width": 4, "generator.noise": 4, "critic.width": 4, "train.batch_size": 8, "log.every": 1,
    "preview.every": 100, "preview.count": 2, "preview.walk": 0, "device": "cpu",
}  # fmt: skip


def grow(folder: Path, size: int, steps: int, every: int, **settings: Any) -> Path:
    overrides = {**TINY, "dataset.size": size, "train.steps": steps, "checkpoint.every": every, **settings}
    wganx.train(plugin="image", scenario="growing", overrides=overrides, out=folder, resume=True, progress=False)
    return folder / "checkpoints"


def state(checkpoints: Path, step: int) -> dict[str, torch.Tensor]:
    found = read_checkpoint(checkpoints / f"step-{step:06d}")
    return {**found.weights, **found.training}


@pytest.mark.parametrize("critic", ["growing", "growing-packs"])
def test_gone_on_with_inside_a_fade_it_ends_bit_for_bit(tmp_path: Path, critic: str) -> None:
    schedule = {"task.first_steps": 1, "task.stage_steps": 6, "task.fade_steps": 4, "critic.name": critic}
    whole = grow(tmp_path / "whole", 16, 5, every=3, **schedule)
    assert read_checkpoint(whole / "step-000003").facts["stage"] == str(("fading to 8 px",) * 3)
    grow(tmp_path / "parts", 16, 3, every=3, **schedule)
    parts = grow(tmp_path / "parts", 16, 5, every=3, **schedule)
    one, other = state(whole, 5), state(parts, 5)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    assert one["average/share"] == 1.0  # the fourth step of a fade of four
    lines = [
        (tmp_path / name / "metrics.jsonl").read_text(encoding="utf-8").splitlines() for name in ("whole", "parts")
    ]
    assert lines[0][-2:] == lines[1][-2:]


def test_it_grows_to_128_px_and_draws_at_the_size_it_reached(tmp_path: Path) -> None:
    schedule = {"task.first_steps": 1, "task.stage_steps": 2, "task.fade_steps": 1}
    checkpoints = grow(tmp_path / "run", 128, 11, every=5, **schedule)
    assert read_checkpoint(checkpoints / "step-000005").facts["stage"] == str(("16 px",) * 3)
    for step, size in ((5, 16), (11, 128)):
        drawn = wganx.load_generator(tmp_path / "run", step).draw(2, seed=1)
        assert drawn.shape == (2, 1, 128, 128)
        squares = torch.nn.functional.avg_pool2d(drawn, 128 // size).repeat_interleave(128 // size, 2)
        torch.testing.assert_close(squares.repeat_interleave(128 // size, 3), drawn)


def test_the_plan_of_every_stage_is_printed_before_training() -> None:
    asked = ["task.first_steps=3", "task.stage_steps=5", "task.fade_steps=2", "train.steps=10", "generator.width=4"]
    arguments = [part for each in [*asked, "critic.width=4", "train.batch_size=8"] for part in ("--set", each)]
    ran = CliRunner().invoke(main, ["train", "--plugin", "image", "--scenario", "growing", "--device", "cpu",
                                    "--dry-run", *arguments])  # fmt: skip
    assert ran.exit_code == 0, ran.output
    table = ran.output.partition("parameters in use")[2]
    rows = [line.split() for line in table.splitlines() if " px" in line]
    names = [" ".join(row[: row.index("px") + 1]) for row in rows]
    assert names == ["4 px", "fading to 8 px", "8 px", "fading to 16 px"]
    steps = [int(row[row.index("px") + 1]) for row in rows]
    assert steps == [3, 2, 3, 2]
    parameters = [int(row[row.index("px") + 3].replace(",", "")) for row in rows]
    assert parameters[0] < parameters[2] < parameters[1] < parameters[3]  # a fade has two ways to the picture


def test_networks_larger_than_the_data_are_refused_in_one_line() -> None:
    ran = CliRunner().invoke(main, ["train", "--plugin", "image", "--scenario", "growing", "--set", "task.start=32"])
    assert ran.exit_code == 2
    assert (
        "networks that start at 32 px do not fit pictures of 16 px: set task.start to a power of two from 4 to 16"
        in (" ".join(ran.output.split()))
    )
    with pytest.raises(ConfigError, match="growth doubles the size and ends at 24 px"):
        wganx.train(plugin="image", scenario="growing", overrides={"dataset.size": 24}, progress=False)
