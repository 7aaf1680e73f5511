"""The comparison at equal time: the loop by hand trains as wganx does; times, costs and tables are right."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import torch

NARROW = {"generator.width": 4, "generator.hidden": 8, "critic.width": 4, "critic.hidden": 8, "train.batch_size": 6}


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("falling", [False, True])
def test_the_loop_by_hand_trains_as_wganx_does(float64, falling):
    from quality_at_time import by_hand

    from wganx.config import resolve
    from wganx.engine.carrying.stream import Stream
    from wganx.runs.assembly import Assembly

    rules = {"optimizer.schedule": "linear" if falling else "constant", "task.augment": ()}
    resolved = resolve(plugin="image", scenario="digits", device="cpu", seed=3, overrides={**NARROW, **rules})
    assembly = Assembly(resolved)
    trainer, loop = assembly.trainer, by_hand(assembly, 4, {"falling": falling})
    before = torch.nn.utils.parameters_to_vector(loop.average.parameters())
    batches = [batch.with_real(batch.real.double()) for batch in itertools.islice(assembly.stream, 6)]
    assert set(batches[0].context) == set(batches[0].condition) == {"label"}
    loop.batches = itertools.cycle([(batch.real, batch.context) for batch in batches])
    with trainer.training.running(Stream(batches, assembly.device)):
        for _ in range(3):
            trainer.training.advance(4)
            loop.cycle()
    for ours, theirs in ((loop.generator, trainer.generator), (loop.critic, trainer.critic)):
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-9, atol=1e-12)
    average = trainer.average.module.state_dict()
    torch.testing.assert_close(loop.average.state_dict(), average, rtol=1e-9, atol=1e-12)
    assert not torch.allclose(torch.nn.utils.parameters_to_vector(loop.average.parameters()), before, rtol=1e-3)


def test_random_batches_keep_samples_and_labels_together():
    from careful_loop import random_batches

    label = torch.arange(50)
    batches = list(itertools.islice(random_batches(10.0 * label[:, None], {"label": label}, 20, seed=1), 30))
    for real, given in batches:
        assert torch.equal(real[:, 0], 10.0 * given["label"])
    assert len(torch.cat([given["label"] for _, given in batches]).unique()) == 50


def curve(name, seed, values, *, by_hand=False, span=1.0, settings=None):
    from quality_tables import Curve, Point

    points = [
        Point(
            span * part / len(values), 10 * part, 100.0 * span * part / len(values), {"frechet": value, "coverage": 0.5}
        )
        for part, value in enumerate(values, 1)
    ]
    return Curve(name, seed, by_hand, settings or {}, points)


def test_the_time_to_a_score_lies_between_the_two_scores_around_it():
    one = curve("preset", 0, [8.0, 4.0, 5.0, 2.0])
    assert one.time_to(9.0) == 25.0
    assert one.time_to(4.0) == 50.0
    assert one.time_to(6.0) == pytest.approx(37.5)
    assert one.time_to(3.0) == pytest.approx(75.0 + 25.0 * 2 / 3)
    assert one.time_to(1.0) == float("inf")


def test_the_ratio_is_of_medians_of_each_seed_s_own_score():
    from quality_tables import Record, render, times

    floor = {"frechet": 0.1, "coverage": 0.9, "classes": 10.0}
    about = {"n": 5, "heldout": 7, "updates": 100, "extractor": "ab", "accuracy": 0.9, "floor": floor, "loop": "2e-4"}
    record = Record("digits", {}, about, {"preset": 0.5, "the preset's settings by hand": 0.7, "seconds": 0.1})
    for seed, target in enumerate([4.0, 2.0, 3.0]):
        record.curves.append(curve("preset", seed, [6.0, 4.0, 3.0, 2.0], span=0.5))
        record.curves.append(curve("2e-4", seed, [9.0, 8.0, 7.0, target], by_hand=True))
    record.curves.append(curve("5 critic updates", 0, [7.0, 6.0, 5.0, 4.5], span=0.5))
    assert times(record) == ([25.0, 50.0, 37.5], [100.0, 100.0, 100.0])
    text = "\n".join(render(record))
    assert "Ratio of medians **0.38**" in text
    assert "a step costs 1.40 times as much" in text
    assert "| 0.5 | 40 | 2 (2, 2, 2) | 0.5 (0.5, 0.5, 0.5) | 20 | 8 (8, 8, 8) | 0.5 (0.5, 0.5, 0.5) |" in text
    assert "| 0.125 | 10 | 6 (6, 6, 6) | 0.5 (0.5, 0.5, 0.5) |  |  |  |" in text
    assert "| 5 critic updates | 1.00 | 4.5 | 0.5 | not in 0.5 |" in text


def test_what_was_trained_before_is_read_back_and_done_again_only_where_it_differs(tmp_path):
    from quality_tables import Record

    record = Record("digits", {"cores": 2}, {"n": 5}, {"preset": 0.5}, [curve("preset", 0, [2.0, 1.0])])
    Record.write(tmp_path / "quality.json", {"digits": record})
    assert Record.read(tmp_path / "quality.json") == {"digits": record}
    assert Record.read(tmp_path / "none.json") == Record.read(None) == {}


def test_a_cost_is_a_ratio_of_the_time_in_steps_alone(monkeypatch):
    import contextlib

    import quality_at_time
    from quality_at_time import Training, find_costs
    from quality_presets import Contestant

    now = 0.0

    def work(seconds):
        nonlocal now
        now += seconds

    class Work:
        rounds = 2

        @contextlib.contextmanager
        def training(self, contestant, seed, until):
            work(1000.0)
            yield Training(lambda: work(contestant.settings["seconds"]), torch.nn.Identity())

    monkeypatch.setattr(quality_at_time.time, "process_time", lambda: now)
    contestants = [Contestant(name, True, {"seconds": each}) for name, each in (("loop", 0.5), ("preset", 0.125))]
    assert find_costs(Work(), contestants) == {"loop": 1.0, "preset": 0.25, "seconds": 0.5}


def test_it_runs_in_seconds_from_the_command_line():
    script = Path(__file__).parents[2] / "benchmarks" / "quality_at_time.py"
    ran = subprocess.run([sys.executable, script, "--quick"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Ratio of medians" in ran.stdout
    assert "| loop, 2e-4 |" in ran.stdout
