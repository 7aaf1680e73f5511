"""Every health check: a training broken on purpose that triggers it, and a healthy one that does not."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import wganx
from wganx.engine import Observer, slow_data
from wganx.engine.proportion import diverged
from wganx.engine.standard_checks import HealthMonitor, standard_checks
from wganx.health import Finding, HealthCheck, Vitals
from wganx.nn import LipschitzMLP
from wganx.wasserstein import CONSTRAINTS, ByConstruction, Orthogonal, Penalty, PenaltyTerms, gradient_norms

DIM = 4


class Listener(Observer):
    def __init__(self):
        self.findings, self.shares = [], []

    def found(self, finding):
        self.findings.append(finding)

    def timed(self, step, shares):
        self.shares.append(shares)

    @property
    def codes(self):
        return {finding.code for finding in self.findings}

    @property
    def grave(self):
        return {finding.code for finding in self.findings if finding.level != "info"}


def linear(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.LeakyReLU(0.2), nn.Linear(32, outputs))


class Scorer(nn.Module):
    def __init__(self, last=None):
        super().__init__()
        self.layers = linear(DIM, 1) if last is None else last

    def forward(self, x, **condition):
        return self.layers(x).flatten()


class Maker(nn.Module):
    """A generator of noise and context, by a function of both and its one network."""

    def __init__(self, make=None):
        super().__init__()
        self.layers = linear(DIM, DIM)
        self.make = make

    def forward(self, noise=None, **context):
        return self.layers(noise) if self.make is None else self.make(self.layers, noise, context)


def cloud(count=64, batches=8, shift=1.0, seed=0, dim=DIM):
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(count, dim, generator=rng) + shift for _ in range(batches)]


def run(generator=None, critic=None, *, data=None, steps=60, heldout=None, checks=(), lr=2e-3, **settings):
    torch.manual_seed(0)
    listener = Listener()
    settings = {"noise": (DIM,), "critic_steps": 2, "device": "cpu", **settings}
    optimizer = settings.pop("optimizer", wganx.Optimizer(lr=lr, betas=(0.0, 0.9)))
    trainer = wganx.Trainer(generator or Maker(), critic or Scorer(), optimizer=optimizer, **settings)
    result = trainer.fit(
        data or cloud(), steps=steps, log_every=2, observers=[listener], heldout=heldout, checks=checks
    )
    return listener, result


@pytest.fixture(scope="module")
def healthy():
    optimizer = wganx.Optimizer(lr=5e-4, critic_lr=2e-3, betas=(0.0, 0.9))
    return run(steps=400, critic_steps=5, optimizer=optimizer, heldout=wganx.Batch(cloud(256, 1, seed=9)[0]))


class TestHealthy:
    def test_nothing_is_wrong(self, healthy):
        assert healthy[0].grave == set()

    def test_wx012_a_reading_that_shrinks_after_its_peak_is_told_as_what_it_is(self, healthy):
        (finding,) = [finding for finding in healthy[0].findings if finding.code == "WX012" and finding.text]
        assert finding.level == "info"
        assert "has been shrinking since, as it should" in str(finding)

    def test_it_is_read_on_held_out_samples_and_at_three_places(self, healthy):
        last = healthy[1].history[-1]
        assert abs(last["w1_heldout"] - last["w1_raw"]) < 0.5
        norms = [last[f"gradient_norm_{place}"] for place in ("real", "fake", "interpolated")]
        assert all(0 < norm <= last["lipschitz"] + 1e-6 for norm in norms)
        assert list(last)[1:4] == ["w1_raw", "w1_corrected", "critic_loss"]


class Detached(Penalty):
    """A penalty that came to nothing."""

    name = "detached"

    def terms(self, critic, real, fake, condition, rng=None):
        norms = gradient_norms(critic, real, condition)
        return PenaltyTerms((0.0 * norms).mean(), norms.detach().mean())


del CONSTRAINTS[Detached.name]  # it is of this file alone: other tests go through everything that is registered


def test_wx002_nothing_holds_the_critic_back():
    steep = wganx.Optimizer(lr=1e-3, critic_lr=0.3, betas=(0.0, 0.9))
    for constraint in (wganx.NoConstraint(), Detached()):
        listener, _ = run(constraint=constraint, optimizer=steep)
        (finding,) = [finding for finding in listener.findings if finding.code == "WX002"][:1]
        assert finding.level == "bad"
        assert "nothing holds it back: the penalty adds 0; choose a constraint" in str(finding)


def test_wx002_a_bound_that_does_not_hold():
    class Residual(nn.Module):
        """A shortcut around orthonormal layers: its slope is up to 2, and no layer says so."""

        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(DIM, DIM)
            self.last = nn.Linear(DIM, 1)

        def forward(self, x):
            return self.last(x + self.inner(x)).flatten()

    listener, _ = run(critic=Residual(), constraint=Orthogonal(), steps=40)
    (finding,) = [finding for finding in listener.findings if finding.code == "WX002"]
    assert "where 'orthogonal' promises at most 1" in finding.text
    healthy, _ = run(critic=LipschitzMLP(DIM, width=16, depth=2), constraint=ByConstruction(), steps=40)
    assert "WX002" not in healthy.codes


def test_wx005_samples_cast_to_integers():
    listener, _ = run(data=[batch.clamp(-1.4, 1.4).trunc() for batch in cloud(400, 3)], steps=4)
    (finding,) = [finding for finding in listener.findings if finding.code == "WX005"]
    assert finding.text == "samples take 3 different values only: they may have been cast to integers"


def test_wx010_scores_far_from_zero():
    critic = Scorer()
    nn.init.constant_(critic.layers[2].bias, 1000.0)
    listener, _ = run(critic=critic, steps=12)
    (finding,) = [finding for finding in listener.findings if finding.code == "WX010"]
    assert "scores lie around" in finding.text
    assert "constraint.drift=0.001" in finding.mend


def test_wx010_ends_under_a_drift_term():
    critic = Scorer()
    nn.init.constant_(critic.layers[2].bias, 20.0)
    listener, result = run(critic=critic, steps=400, constraint=wganx.GradientPenalty(drift=1.0), lr=2e-2)
    assert abs(result.history[-1]["vital/score_offset"]) < 2
    assert [finding.text is None for finding in listener.findings if finding.code == "WX010"][-1:] in ([True], [])


def test_wx011_a_critic_that_does_not_keep_up():
    listener, _ = run(optimizer=wganx.Optimizer(lr=1e-2, critic_lr=1e-12, betas=(0.0, 0.9)), steps=120)
    (finding,) = [finding for finding in listener.findings if finding.code == "WX011"]
    assert "it rates fakes above real samples; the critic does not keep up" in str(finding)


def test_wx020_a_reading_out_of_all_proportion():
    listener, _ = run(
        constraint=wganx.LipschitzPenalty(weight=1e-6), optimizer=wganx.Optimizer(lr=1e-4, critic_lr=0.3), steps=40
    )
    assert any(finding.code == "WX020" and finding.level == "bad" for finding in listener.findings)


def test_wx022_a_dead_critic():
    critic = Scorer(nn.Sequential(nn.Linear(DIM, 8), nn.ReLU(), nn.Linear(8, 1)))
    nn.init.constant_(critic.layers[0].bias, -100.0)
    listener, _ = run(critic=critic, steps=20)
    assert "the critic is flat" in next(finding.text for finding in listener.findings if finding.code == "WX022")


def test_wx030_a_generator_that_repeats_itself():
    listener, _ = run(Maker(lambda layers, noise, context: layers(0 * noise)), steps=120)
    assert "the generator repeats itself" in next(f.text for f in listener.findings if f.code == "WX030")


def test_wx031_a_critic_that_knows_its_samples_by_heart():
    wide = 24
    few = cloud(12, 1, seed=1, shift=0.0, dim=wide)
    torch.manual_seed(0)
    critic = Scorer(nn.Sequential(nn.Linear(wide, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)))
    generator = Maker(lambda layers, noise, context: noise + 0 * layers(noise[:, :DIM]).sum())
    listener, _ = run(
        generator, critic, data=few, steps=240, noise=(wide,), critic_steps=5,
        heldout=wganx.Batch(cloud(512, 1, seed=2, shift=0.0, dim=wide)[0]),
    )  # fmt: skip
    assert "it overfits" in next(finding.text for finding in listener.findings if finding.code == "WX031")


def test_wx032_most_weights_at_the_clipping_limit():
    listener, _ = run(constraint=wganx.WeightClipping(0.01), steps=180, lr=1e-4)
    finding = next(finding for finding in listener.findings if finding.code == "WX032")
    assert "of the critic's weights are at the clipping limit" in finding.text
    healthy, result = run(constraint=wganx.WeightClipping(5.0), steps=20)
    assert "WX032" not in healthy.codes
    assert result.history[-1]["vital/saturation"] == 0


@pytest.mark.parametrize(("reach", "found"), [(1e-3, True), (1.0, False)])
def test_wx042_a_translation_that_copies(reach, found):
    data = [wganx.Batch(batch + 3, {"source": other}) for batch, other in zip(cloud(), cloud(seed=5))]
    generator = Maker(lambda layers, noise, context: context["source"] + reach * (3 + layers(context["source"])))
    listener, _ = run(generator, data=data, noise=None, steps=30, optimizer=wganx.Optimizer(lr=1e-6))
    assert ("WX042" in listener.codes) == found


@pytest.mark.parametrize(("weight", "found"), [(0.0, True), (1.0, False)])
def test_wx043_a_context_that_is_ignored(weight, found):
    data = [wganx.Batch(batch, {"label": torch.arange(64) % 3}) for batch in cloud()]
    generator = Maker(lambda layers, noise, context: layers(noise) + weight * context["label"].float()[:, None])
    listener, _ = run(generator, data=data, steps=30)
    assert ("WX043" in listener.codes) == found


def test_wx050_time_that_goes_into_data():
    class Slow:
        def __iter__(self):
            for batch in cloud(8, 2):
                time.sleep(0.05)
                yield batch

    listener, _ = run(data=Slow(), steps=4)
    assert slow_data(listener.shares[-1]).startswith("WX050")
    assert "dataset.pack=always help" in slow_data(listener.shares[-1])
    assert slow_data({"data": 0.3, "critic": 0.6}) is None
    assert sum(listener.shares[-1].values()) == pytest.approx(1.0)


class TestMonitor:
    @staticmethod
    def vitals(step, **scalars):
        return Vitals(step=step, scalars=scalars, real=torch.zeros(2, 1), fake=torch.zeros(2, 1))

    def check(self, inspect, **settings):
        return HealthCheck(name="odd", code="WX900", summary="odd", mend="make it even", inspect=inspect, **settings)

    def test_a_finding_begins_after_its_patience_and_ends(self):
        odd = self.check(lambda vitals: "x is odd" if vitals.scalars["x"] % 2 else None, patience=2)
        monitor = HealthMonitor([odd])
        heard = [monitor.look(self.vitals(step, x=x)) for step, x in enumerate([1, 2, 1, 1, 1, 2, 2])]
        assert [len(found) for found in heard] == [0, 0, 0, 1, 0, 1, 0]
        assert str(heard[3][0]) == "WX900 x is odd; make it even"
        assert heard[5] == [Finding(step=5, code="WX900", level="warn", text=None, mend="make it even")]
        assert str(heard[5][0]) == "WX900 no longer"

    def test_two_checks_of_one_code_do_not_share_their_memory(self):
        never, ever = self.check(lambda vitals: None), self.check(lambda vitals: "x", patience=2)
        monitor = HealthMonitor([replace(never, name="even"), ever])
        heard = [monitor.look(self.vitals(step)) for step in range(4)]
        assert [len(found) for found in heard] == [0, 1, 0, 0]

    def test_a_check_that_raises_is_named_and_switched_off(self):
        monitor = HealthMonitor([self.check(lambda vitals: 1 / 0)])
        (finding,) = monitor.look(self.vitals(1))
        assert (finding.level, finding.text) == (
            "info",
            "health check 'odd' failed: ZeroDivisionError: division by zero",
        )
        assert monitor.look(self.vitals(2)) == []

    def test_a_check_that_says_a_number_is_named(self):
        (finding,) = HealthMonitor([self.check(lambda vitals: 0.5)]).look(self.vitals(1))
        assert "'odd' failed: TypeError: inspect returned 0.5, and says one sentence or None" in finding.text

    def test_a_check_sees_what_fakes_were_made_of_row_by_row(self):
        class Copy(nn.Module):
            """What it is given, up to a weight that learns."""

            def __init__(self):
                super().__init__()
                self.weight = nn.Parameter(torch.ones(1))

            def forward(self, source):
                return self.weight * source

        seen = []

        def copies(vitals):
            source = vitals.context["source"]
            seen.append((len(vitals.real), len(vitals.fake), len(source)))
            share = (vitals.fake / source).flatten()
            source.zero_()  # its own copy, of which the training hears nothing
            return None if share.std() > 1e-4 else "fakes are copies"

        data = [wganx.Batch(rows + 2, {"source": rows}) for rows in cloud()]
        listener, _ = run(Copy(), data=data, noise=None, checks=[self.check(copies)], steps=4)
        assert "WX900" in listener.codes
        assert all(real == fake == source > 0 for real, fake, source in seen)

    def test_the_memory_is_plain_data_and_travels(self, tmp_path):
        torch.manual_seed(0)
        trainer = wganx.Trainer(Maker(), Scorer(), noise=(DIM,), device="cpu")
        trainer.fit(cloud(), steps=6, log_every=2)
        trainer.training.health.memory["MY900 mine"] = {"streak": 0, "active": 0, "seen": [1, 2], "known": True}
        assert json.loads(json.dumps(trainer.training.health.memory)) == trainer.training.health.memory
        trainer.save(tmp_path / "x")
        loaded = wganx.Trainer.load(tmp_path / "x", Maker(), Scorer(), device="cpu")
        assert loaded.training.health.memory == trainer.training.health.memory

    def test_codes_are_told_once_each(self):
        checks = standard_checks(wganx.Wasserstein(), wganx.GradientPenalty())
        codes = [check.code for check in checks]
        assert codes == sorted(set(codes))
        assert {"WX002", "WX011", "WX012", "WX020", "WX030", "WX031"} <= set(codes)

    def test_readings_of_w1_are_judged_only_where_there_are_any(self):
        codes = {check.code for check in standard_checks(wganx.Hinge(), wganx.GradientPenalty())}
        assert not {"WX002", "WX011", "WX012", "WX020"} & codes


def test_measuring_leaves_the_training_as_it_is():
    torch.manual_seed(0)

    class Noisy(Scorer):
        def __init__(self):
            super().__init__(nn.Sequential(nn.Linear(DIM, 8), nn.Dropout(0.5), nn.LeakyReLU(), nn.Linear(8, 1)))

    def weights(log_every):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(DIM, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, DIM))
        trainer = wganx.Trainer(generator, Noisy(), noise=(DIM,), device="cpu", constraint=wganx.SpectralNorm())
        trainer.fit(cloud(), steps=6, log_every=log_every, heldout=wganx.Batch(cloud(seed=7)[0]))
        return torch.cat([value.flatten().float() for value in trainer.checkpoint().weights.values()])

    assert torch.equal(weights(1), weights(6))


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "health.md"


def test_the_reference_page_lists_every_check_at_its_level():
    rows = re.findall(r"^\| (WX\d{3}) \|.*\| (\w+)[^|]* \|[^|]*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {
        (check.code, check.level)
        for constraint in (wganx.GradientPenalty(), ByConstruction())
        for check in standard_checks(wganx.Wasserstein(), constraint)
    }
    raised = {(code, "refused") for code in ("WX001", "WX003", "WX004", "WX005")}
    raised |= {("WX021", "rolled"), ("WX060", "stopped")}
    elsewhere = {("WX041", "warn"), ("WX050", "warn"), *((f"WX07{number}", "warn") for number in (1, 2, 3, 4))}
    elsewhere |= {("WX081", "bad"), *((f"WX08{number}", "warn") for number in (2, 3, 4))}
    assert set(rows) == told | raised | elsewhere
    assert [code for code, _ in rows] == sorted(code for code, _ in rows)


class TestDiverged:
    """A training whose numbers are finite and mean nothing any more does not end as one that went well."""

    def test_a_rate_of_100_ends_the_training_with_what_happened(self):
        said: list[str] = []

        class Hearing(Listener):
            def rolled_back(self, step, reason):
                said.append(reason)

        listener = Hearing()
        torch.manual_seed(0)
        trainer = wganx.Trainer(Maker(), Scorer(), noise=(DIM,), device="cpu", optimizer=wganx.Optimizer(lr=100.0))
        with pytest.raises(
            wganx.TrainingDiverged, match=r"WX021 the training diverged before step .* out of all propo"
        ):
            trainer.fit(cloud(), steps=400, log_every=10, observers=[listener])
        assert listener.codes <= {"WX002", "WX020", "WX010"}
        assert not said  # there was no checkpoint to go back to

    def test_with_a_checkpoint_it_goes_back_once(self, tmp_path):
        torch.manual_seed(0)
        trainer = wganx.Trainer(Maker(), Scorer(), noise=(DIM,), device="cpu", optimizer=wganx.Optimizer(lr=100.0))
        with pytest.raises(wganx.TrainingDiverged, match="again after a roll-back; lower the learning rate"):
            trainer.fit(cloud(), steps=400, log_every=10, checkpoints=wganx.CheckpointStore(tmp_path))
        assert trainer.training.rollbacks == 1

    @pytest.mark.parametrize("lr", [0.1, 1.0, 10.0])
    def test_nothing_says_all_is_well_beside_what_says_it_is_not(self, lr):
        try:
            listener, _ = run(lr=lr, steps=250)
        except wganx.TrainingDiverged:
            return
        graver, well = False, False
        for finding in listener.findings:
            if finding.level == "bad":
                graver = finding.text is not None
            if finding.code == "WX012":
                well = finding.text is not None
            assert not (graver and well), listener.findings

    def test_an_explosion_is_no_peak(self):
        monitor = HealthMonitor(standard_checks(wganx.Wasserstein(), wganx.GradientPenalty()))
        told = []
        for point in range(60):
            reading = 1e9 * 0.5**point if point < 20 else 1.0
            scalars = {
                "w1_raw": reading, "w1_corrected": reading, "gradient_norm_interpolated": 1.0, "vital/gap": reading,
                "vital/score_offset": 0.0, "vital/score_spread": 1.0, "vital/spread_real": 2.0,
                "vital/spread_fake": 2.0, "lipschitz": 1.0,
            }  # fmt: skip
            real = torch.randn(512, 4, generator=torch.Generator().manual_seed(point))
            told += monitor.look(Vitals(step=10 * point, scalars=scalars, real=real, fake=real))
        assert [finding.code for finding in told if finding.code == "WX020"] == ["WX020", "WX020"]
        shrinking = [finding.text for finding in told if finding.code == "WX012" and finding.text]
        assert all("e+" not in text for text in shrinking), shrinking

    def test_only_what_no_step_brings_back_ends_it(self):
        scalars = {"w1_raw": 1e3, "vital/gap": 1e3, "vital/spread_real": 2.0, "vital/spread_fake": 2.0}
        assert diverged(scalars) is None
        assert diverged({**scalars, "w1_raw": 1e12}) is None  # one spike, already over
        assert "the reading 1e+12" in str(diverged({**scalars, "w1_raw": 1e12, "vital/gap": 1e12}))
        assert "the reading inf" in str(diverged({**scalars, "w1_raw": math.inf, "vital/gap": math.nan}))
        assert "samples lie 1e+09 apart" in str(diverged({**scalars, "vital/spread_fake": 1e9}))
        scores = {"score_gap": 1e12, "vital/gap": 1e12, "vital/spread_real": 2.0, "vital/spread_fake": 2.0}
        assert diverged(scores) is None  # of other objectives scores have no scale

    def test_what_voids_the_result_stands_at_the_end(self):
        trainer = wganx.Trainer(
            Maker(), Scorer(), noise=(DIM,), device="cpu", constraint=wganx.NoConstraint(),
            optimizer=wganx.Optimizer(lr=1e-3, critic_lr=0.3, betas=(0.0, 0.9)),
        )  # fmt: skip
        trainer.fit(cloud(), steps=60, log_every=2)
        assert [check.code for check in trainer.training.health.standing()] == ["WX002"]
