"""The comparison at equal time: the loop by hand trains as wganx does, and the clock and the verdict are right."""

import itertools

import pytest
import torch


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_the_loop_by_hand_trains_as_wganx_does(float64):
    from quality_at_time import prepare

    from wganx.config import resolve
    from wganx.engine.carrying.stream import Stream

    narrow = {"generator.width": 4, "generator.hidden": 8, "critic.width": 4, "critic.hidden": 8}
    rules = {"train.batch_size": 6, "optimizer.schedule": "constant"}
    resolved = resolve(plugin="image", scenario="digits", device="cpu", seed=3, overrides={**narrow, **rules})
    assembly, loop = prepare(resolved)
    trainer = assembly.trainer
    before = torch.nn.utils.parameters_to_vector(loop.average.parameters())
    batches = [batch.with_real(batch.real.double()) for batch in itertools.islice(assembly.stream, 6)]
    assert set(batches[0].context) == set(batches[0].condition) == {"label"}
    loop.batches = itertools.cycle([(batch.real, batch.context) for batch in batches])
    with trainer.training.running(Stream(batches, assembly.device)):
        for _ in range(3):
            trainer.training.advance()
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


class Clock:
    """Seconds that pass when someone works, and not by themselves."""

    def __init__(self):
        self.now = 0.0

    def read(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


def test_the_clock_stops_for_scores_and_for_the_other_training(monkeypatch):
    import quality_at_time
    from quality_at_time import Contestant, take_turn

    clock = Clock()
    monkeypatch.setattr(quality_at_time.time, "process_time", clock.read)
    monkeypatch.setattr(quality_at_time.time, "perf_counter", clock.read)

    class Judge:
        def score(self, network):
            clock.work(1000.0)
            return {"sliced_w1": 0.0}

    ours, theirs = (
        Contestant(name, lambda each=each: clock.work(each), torch.nn.Identity())
        for name, each in (("wganx", 0.125), ("careful", 0.25))
    )
    points = []
    for _ in range(5):
        for one in (ours, theirs):
            points += take_turn(one, 0, Judge(), [4.0, 9.0], turn=2.0)
    found = {(point.training, point.mark): (point.steps, point.cpu, point.wall) for point in points}
    assert found == {
        ("wganx", "4 s"): (32, 4.0, 4.0),
        ("careful", "4 s"): (16, 4.0, 4.0),
        ("wganx", "50 steps"): (50, 6.25, 6.25),
        ("wganx", "9 s"): (72, 9.0, 9.0),
        ("careful", "9 s"): (36, 9.0, 9.0),
    }


def test_the_verdict_names_the_checkpoints_where_wganx_is_not_ahead():
    from quality_tables import Point, Result, render, verdict

    better = {"sliced_w1": "lower", "class_score": "higher"}
    result = Result("digits", 8, 4, 4, {"real": {"sliced_w1": 0.1, "class_score": 9.0}}, better)
    result.draws_apart = {"sliced_w1": 0.01, "class_score": 0.1}
    for seed, (ours, theirs) in enumerate([(1.0, 2.0), (1.1, 1.0), (1.2, 2.2)]):
        for mark, factor in (("10 s", 1.0), ("5 s", -1.0)):
            for name, value in (("wganx", ours), ("careful", theirs)):
                scores = {"sliced_w1": factor * value, "class_score": 9.0}
                result.points.append(Point(name, seed, mark, 1.0, 1.0, 10, scores))
    assert result.marks(" s") == ["5 s", "10 s"]
    assert result.gains("10 s", "sliced_w1") == pytest.approx([1.0, -0.1, 1.0])
    assert verdict(result, "sliced_w1").endswith("every checkpoint but 5 s.")
    assert verdict(result, "class_score").endswith("every checkpoint but 5 s, 10 s.")
    assert "| 10 s | 1.1 (1, 1.1, 1.2) | 2 (2, 1, 2.2) | 2 of 3 |" in "\n".join(render(result))
