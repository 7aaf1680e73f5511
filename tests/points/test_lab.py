"""The demonstrations: what they predict is found, and the command that shows them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from wganx_points.lab import DEMONSTRATIONS, clipping, collapse, dirac, parallel_lines
from wganx_points.lab.findings import Finding, Shown

from wganx import MissingExtra, NoConstraint, NonSaturating, UsageError, Wasserstein, WeightClipping
from wganx.cli import main
from wganx.wasserstein import R1, R2

SVG = b"<?xml"
PNG = b"\x89PNG"


@pytest.fixture(scope="module", autouse=True)
def fonts_are_known() -> None:
    """matplotlib's first import lists the fonts of the machine, with processes and files of its own: not in a test."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True, capture_output=True)


def call(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def unmet(shown: Shown) -> list[Finding]:
    return [finding for finding in shown.findings if not finding.holds]


class TestParallelLines:
    def test_every_prediction_holds(self) -> None:
        assert not unmet(parallel_lines.demonstrate(3, points=16))

    def test_a_wrong_distance_would_be_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        honest = parallel_lines.exact_w1
        monkeypatch.setattr(parallel_lines, "exact_w1", lambda x, y: honest(x, 1.001 * y))
        failed = {finding.what for finding in unmet(parallel_lines.demonstrate(0, points=8))}
        assert "W1, largest deviation from |theta|" in failed
        assert not any(what.startswith("TV") for what in failed)


class TestDirac:
    @pytest.mark.parametrize("constraint", [R1(weight=1.0), R2(weight=1.0)], ids=lambda constraint: constraint.name)
    def test_a_penalty_around_slope_0_ends_at_the_equilibrium(self, constraint: R1 | R2) -> None:
        path = dirac.play(Wasserstein(), constraint, steps=150)
        assert dirac.radius(path)[-1] < 0.01 * dirac.radius(path)[0]

    @pytest.mark.parametrize(
        "rules", [rules for rules in dirac.RULES if rules.fate == "circles"], ids=lambda rules: rules.title
    )
    def test_a_penalty_around_slope_1_never_gets_there(self, rules: dirac.Rules) -> None:
        path = dirac.play(rules.objective, rules.constraint, steps=200)
        assert dirac.radius(path).min() > 0.5
        assert np.ptp(path[-70:, 0]) > 1

    def test_clipping_holds_the_critic_within_its_limit(self) -> None:
        path = dirac.play(Wasserstein(), WeightClipping(limit=0.3), steps=60)
        assert np.abs(path[1:, 1]).max() == pytest.approx(0.3)

    @given(steps=st.integers(1, 30))
    @settings(max_examples=10, deadline=None)
    def test_steps_at_the_same_time_move_outwards_by_the_formula(self, steps: int) -> None:
        path = dirac.play(Wasserstein(), NoConstraint(), steps=steps, simultaneous=True)
        grown = dirac.radius(path) / dirac.radius(path)[0]
        np.testing.assert_allclose(grown, (1 + dirac.RATE**2) ** (np.arange(steps + 1) / 2), rtol=1e-12)

    def test_steps_in_turn_follow_the_matrix_of_the_game(self) -> None:
        rate = dirac.RATE
        state = np.array(dirac.START)
        turn = np.array([[1 - rate**2, rate], [-rate, 1]])  # psi falls by h theta, then theta grows by h psi
        path = dirac.play(Wasserstein(), NoConstraint(), steps=20)
        for found in path[1:]:
            state = turn @ state
            np.testing.assert_allclose(found, state, atol=1e-12)

    def test_the_non_saturating_game_is_slower_than_any_exponential(self) -> None:
        radii = dirac.radius(dirac.play(NonSaturating(), NoConstraint(), steps=400))
        assert radii[400] / radii[200] > radii[200] / radii[0]

    @pytest.mark.slow
    def test_every_prediction_holds(self) -> None:
        assert not unmet(dirac.demonstrate(0))


class TestClipping:
    def test_a_short_training_already_separates_the_two(self) -> None:
        found = {finding.what: finding.found for finding in clipping.demonstrate(0, updates=60).findings}
        assert found["clip: largest slope found"] < 0.01
        assert found["clip: reading / W1"] < 0.01
        assert found["gradient-penalty: share of weights at +-c"] < 0.05

    def test_the_traced_layers_end_in_the_scores(self) -> None:
        critic = clipping.Critic(torch.Generator().manual_seed(0))
        x = torch.randn(5, 2)
        trace = critic.trace(x)
        assert [tuple(part.shape) for part in trace] == [(5, clipping.WIDTH)] * clipping.HIDDEN + [(5, 1)]
        torch.testing.assert_close(critic(x), trace[-1][:, 0])

    @pytest.mark.slow
    def test_every_prediction_holds(self) -> None:
        assert not unmet(clipping.demonstrate(0))


class TestCollapse:
    def test_modes_are_counted(self) -> None:
        angles = torch.arange(8) * torch.pi / 4
        centres = 2 * torch.stack([angles.cos(), angles.sin()], dim=1)
        assert collapse.covered(centres.repeat(10, 1)) == 8
        assert collapse.covered(centres[:3].repeat(10, 1)) == 3
        assert collapse.covered(torch.zeros(10, 2)) == 0
        assert collapse.covered(centres.repeat(10, 1) + torch.tensor([3.1 * collapse.SIGMA, 0])) == 0

    def test_a_training_is_decided_by_its_seed(self) -> None:
        first, again, other = (collapse.train(collapse.CLASSIC, seed, 5)[-1].samples for seed in (0, 0, 1))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)

    def test_moments_are_spread_over_the_training(self) -> None:
        assert [moment.step for moment in collapse.train(collapse.CLASSIC, 0, 15)] == [3, 6, 9, 12, 15]

    @pytest.mark.slow
    def test_every_prediction_holds(self) -> None:
        assert not unmet(collapse.demonstrate(0))


class TestFigures:
    @pytest.mark.parametrize(
        ("module", "quick"),
        [
            (parallel_lines, {"points": 8}),
            (dirac, {"steps": 5}),
            (clipping, {"updates": 2}),
            (collapse, {"steps": 5}),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_each_is_drawn_and_drawn_the_same_again(
        self, module: object, quick: dict[str, int], tmp_path: Path
    ) -> None:
        from wganx_points.lab.figure import save

        shown = module.demonstrate(0, **quick)  # type: ignore[attr-defined]
        svg, png = save(shown.draw(), tmp_path / "new" / "folder", "figure")
        assert svg.read_bytes().startswith(SVG)
        assert png.read_bytes().startswith(PNG)
        again, _ = save(shown.draw(), tmp_path, "again")
        assert svg.read_bytes() == again.read_bytes()

    def test_matplotlib_is_left_as_it_was(self) -> None:
        import matplotlib
        from wganx_points.lab.figure import styled

        before = dict(matplotlib.rcParams)
        with styled():
            assert matplotlib.rcParams["svg.fonttype"] == "none"
        assert dict(matplotlib.rcParams) == before


class TestCommand:
    def test_alone_it_lists_the_demonstrations_without_torch_or_matplotlib(self) -> None:
        code = (
            "import sys\nfrom click.testing import CliRunner\nfrom wganx.cli import main\n"
            "done = CliRunner().invoke(main, ['lab'])\nassert done.exit_code == 0, done.output\nprint(done.output)\n"
            "assert not {'torch', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for name, summary in DEMONSTRATIONS.items():
            assert any(line.startswith(name) and line.endswith(summary) for line in done.stdout.splitlines())

    def test_the_list_as_json(self) -> None:
        assert {row["name"]: row["summary"] for row in json.loads(call("lab", "--json"))} == DEMONSTRATIONS

    def test_a_table_and_a_figure(self, tmp_path: Path) -> None:
        output = call("lab", "parallel-lines", "--out", tmp_path / "figures")
        assert "W1, largest deviation from |theta|" in output
        assert "0: JS = log 2 = 0.6931" in output
        assert "inf" in output
        assert output.count("yes") == 8
        for suffix in ("svg", "png"):
            path = tmp_path / "figures" / f"parallel-lines.{suffix}"
            assert path.exists()
            assert str(path) in output

    def test_as_json(self, tmp_path: Path) -> None:
        result = json.loads(call("points", "lab", "parallel-lines", "--out", tmp_path, "--seed", 2, "--json"))
        assert (result["name"], result["seed"]) == ("parallel-lines", 2)
        assert "theta from -1 to 1" in result["setting"]
        assert all(finding["holds"] for finding in result["findings"])
        assert next(row["found"] for row in result["findings"] if row["what"] == "KL, smallest") == "inf"
        assert [Path(path).name for path in result["figures"]] == ["parallel-lines.svg", "parallel-lines.png"]

    def test_a_prediction_that_fails_is_named_and_exits_1(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = parallel_lines.demonstrate
        broken = [Finding("the moon", "round", 0.5, False), Finding("the sea", "wet", 1.0, True)]
        monkeypatch.setattr(
            parallel_lines, "demonstrate", lambda seed: Shown("somewhere", broken, honest(seed, points=4).draw)
        )
        output = call("lab", "parallel-lines", "--out", tmp_path, code=1)
        assert "wganx: not as predicted: the moon\n" in output
        assert (tmp_path / "parallel-lines.svg").exists()

    @pytest.mark.parametrize("front", [("lab",), ("points", "lab")])
    def test_an_unknown_name_is_answered_with_the_likely_one(self, front: tuple[str, ...]) -> None:
        output = call(*front, "diracs", code=UsageError.exit_code)
        assert output.startswith("wganx: no demonstration named 'diracs'; there are parallel-lines, dirac, clipping")
        assert output.rstrip().endswith("did you mean 'dirac'?")

    def test_a_wrong_option_names_the_command(self) -> None:
        output = call("lab", "dirac", "--sed", "1", code=2)
        assert "Usage: " in output
        assert "No such option: --sed" in output or "No such option '--sed'" in output

    def test_the_help_is_the_plugins(self) -> None:
        assert "wganx lab parallel-lines" in call("lab", "--help")
        assert "Show a piece of the theory at work" in call("--help")

    def test_without_matplotlib_the_extra_is_named_before_anything_is_computed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setattr(parallel_lines, "demonstrate", lambda seed: pytest.fail("computed"))
        output = call("lab", "parallel-lines", "--out", tmp_path / "lab", code=MissingExtra.exit_code)
        assert output == 'wganx: the lab draws its figures with matplotlib: pip install "wganx[lab]"\n'
        assert not (tmp_path / "lab").exists()

    def test_the_plugin_mounts_it_as_a_command(self) -> None:
        import wganx_points

        (command,) = wganx_points.wganx_commands()
        assert isinstance(command, click.Command)
        assert command.name == "lab"
