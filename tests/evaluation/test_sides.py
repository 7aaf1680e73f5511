"""Sides are made when they are looked at: in parts the same as whole, spoilt as said, and no more rows than planned."""

import pytest
import torch
from torch import nn

from wganx import Batch, Config, Game, Metric, SampleFormat, Sampler
from wganx.data import ArrayItems
from wganx.evaluation import ChosenMetric, Evaluator, Features, Kept, plan_rows, rows_in_time
from wganx.evaluation import evaluate as evaluating
from wganx.evaluation.degraded import blurred, degraded
from wganx.evaluation.metrics import STANDARD
from wganx.evaluation.sides import CHUNK, free_side, made_side, real_side

CPU = torch.device("cpu")
PICTURE = SampleFormat(axes=("channel", "height", "width"), shape=(2, 6, 6))
KIND = SampleFormat.label(("a", "b", "c"))


class Told(Game):
    sample = PICTURE
    context = condition = {"kind": KIND}  # noqa: RUF012

    def batch(self, items, rng, *, training):
        return Batch(items["sample"], {"kind": items["kind"]}, {"kind": items["kind"]})

    def baselines(self):
        return {"black": lambda batch, rng: torch.zeros_like(batch.real) - 1}


class Maker(nn.Module):
    """Noise around a level for every kind; draws from the global stream as well, as dropout would."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.most = 0

    def forward(self, noise, kind):
        self.most = max(self.most, len(noise))
        return noise.reshape(-1, 2, 6, 6) * 0.1 + kind[:, None, None, None] - 1 + 0.01 * torch.rand(len(noise), 1, 1, 1)


def items(n):
    rng = torch.Generator().manual_seed(n)
    kind = torch.arange(n) % 3
    x = (kind - 1)[:, None, None, None] + 0.1 * torch.randn(n, 2, 6, 6, generator=rng)
    return ArrayItems({"sample": x, "kind": kind}, {"sample": PICTURE, "kind": KIND})


def sampler():
    return Sampler(Maker(), noise=(72,), device=CPU, sample=PICTURE, context={"kind": KIND})


def joined(side):
    parts = list(side.parts())
    return Batch(
        torch.cat([part.real for part in parts]), {"kind": torch.cat([part.context["kind"] for part in parts])}
    )


ROWS = 2 * CHUNK + 100


@pytest.mark.parametrize("kind", ["real", "made", "free"])
def test_parts_are_the_whole(kind):
    def side():
        real = real_side(Told(), items(ROWS), list(range(ROWS))[::-1], seed=3, device=CPU)
        if kind == "real":
            return real
        return made_side(sampler(), real, seed=3) if kind == "made" else free_side(sampler(), ROWS, ("kind",), seed=3)

    in_parts, whole = joined(side()), side().samples(ROWS)
    assert torch.equal(in_parts.real, whole.real)
    assert torch.equal(in_parts.context["kind"], whole.context["kind"])
    assert torch.equal(side().labels.context["kind"], whole.context["kind"])
    assert torch.equal(side().samples(10).real, whole.real[:10])
    outline = side().outline((2, 6, 6))
    assert (outline.real.shape, outline.real.device.type) == (whole.real.shape, "meta")


def test_drawing_leaves_the_streams_alone_and_no_part_is_large():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    drawn = sampler()
    side = made_side(drawn, real_side(Told(), items(ROWS), range(ROWS), seed=0, device=CPU), seed=0)
    for _ in side.parts():
        pass
    assert torch.equal(torch.get_rng_state(), before)
    assert drawn.module.most == CHUNK


def measure(metrics, n=40, count=200, **options):
    splits = {"heldout": items(count), "train": items(300)}
    evaluator = Evaluator(Told(), splits.__getitem__, Features(lambda name: nn.Flatten(), CPU), Kept({}), CPU)
    chosen = {each.name: ChosenMetric(each, each.config()) for each in metrics}
    return evaluator.evaluate(sampler(), chosen, n=n, seed=0, step=1, **options)


def spy(seen, **more):
    def compute(sides, context):
        seen.append(sides)
        return {"mean": context.features("x", sides.candidate).mean().item(), "rows": float(len(sides.candidate))}

    return Metric(name="spy", summary="spy", modality="", compute=compute, **more)


def test_a_metric_of_features_sees_no_samples_and_gets_the_same_numbers():
    seen, looked = [], []
    alone = measure([spy(seen, looks_at="features")])
    both = measure([spy(looked)])
    assert all(side.candidate.real.device.type == "meta" for side in seen)
    assert all(side.candidate.real.device.type == "cpu" for side in looked)
    assert seen[0].candidate.context["kind"].tolist() == looked[0].candidate.context["kind"].tolist()
    assert alone.rows[0].generated == pytest.approx(both.rows[0].generated, abs=1e-6)
    assert alone.rows[0].baselines == pytest.approx(both.rows[0].baselines, abs=1e-6)


def test_no_more_rows_are_shown_than_a_metric_wants_or_memory_allows(monkeypatch):
    found = measure([spy([], looks_at="features", most_rows=15)])
    assert [row.generated for row in found.rows if row.value == "rows"] == [15]
    assert {row.n for row in found.rows} == {15}
    monkeypatch.setattr(evaluating, "MOST_BYTES", 12 * 4 * 72)
    found = measure([spy([]), STANDARD["frechet"]])
    shown = {row.metric: (row.n, row.extractor) for row in found.rows}
    assert shown == {"spy": (12, "x"), "frechet": (None, "own")}


def test_candidates_may_be_more_without_samples_in_memory():
    found = measure([spy([], looks_at="features")], candidates=700)
    assert next(row.generated for row in found.rows if row.value == "rows") == 700


def test_numbers_of_classes_stand_apart():
    def compute(sides, context):
        kinds = sides.candidate.context["kind"]
        return {"all": 1.0, "share": {name: (kinds == i).float().mean().item() for i, name in enumerate("abc")}}

    found = measure([Metric(name="kinds", summary="", modality="", compute=compute)], n=30)
    assert [row.value for row in found.rows] == ["all"]
    assert found.per_class["share"].keys() == {"a", "b", "c"}
    assert sum(found.per_class["share"].values()) == pytest.approx(1)


def test_whole_evaluations_have_spoilt_copies_and_the_nearest_pairs():
    metrics = [STANDARD["memorising"], STANDARD["frechet"]]
    found = measure(metrics, whole=True)
    assert set(found.rows[0].baselines) == {"black", "blurred", "shuffled"}
    pairs = found.pairs
    assert len(pairs.generated) == len(pairs.training) == len(pairs.distances) == 16
    assert list(pairs.distances) == sorted(pairs.distances)
    gap = (pairs.generated.real - pairs.training.real).flatten(1).norm(dim=1)
    assert gap.tolist() == pytest.approx(pairs.distances, rel=1e-4)
    assert pairs.of > 16
    assert pairs.median > max(pairs.distances)
    assert pairs.real_median > 0
    assert "pairs" not in found.to_json()
    assert set(measure(metrics).rows[0].baselines) == {"black"}


def test_the_helper_against_which_a_generator_learnt_is_no_judge():
    from wganx import Helper

    judge = nn.Sequential(nn.Flatten(), nn.Linear(72, 5))

    class Helped(Told):
        helpers = {"perceptual": Helper(judge)}  # noqa: RUF012

    splits = {"heldout": items(100), "train": items(100)}
    features = Features(lambda name: nn.Flatten(), CPU)
    features.use("mine", judge)
    evaluator = Evaluator(Helped(), splits.__getitem__, features, Kept({}), CPU)
    config = STANDARD["frechet"].config(extractor="mine")
    found = evaluator.evaluate(sampler(), {"frechet": ChosenMetric(STANDARD["frechet"], config)}, n=20, seed=0, step=1)
    assert "is the task's helper 'perceptual', against which the generator was trained" in found.skipped["frechet"]


def test_blur_flattens_and_keeps_the_mean_of_what_is_even():
    x = torch.randn(4, 2, 16, 16)
    little, much = blurred(x, [2, 3], 0.5), blurred(x, [2, 3], 2.0)
    assert x.std() > little.std() > much.std()
    assert torch.allclose(blurred(torch.full((1, 1, 8, 8), 0.3), [2, 3]), torch.full((1, 1, 8, 8), 0.3))


def test_shuffled_copies_hold_the_same_values_at_other_places():
    x = torch.randn(5, 2, 6, 6)
    shuffled = degraded(PICTURE)["shuffled"](Batch(x), torch.Generator().manual_seed(0))
    assert not torch.equal(shuffled, x)
    assert torch.equal(shuffled.flatten(2).sort(dim=2).values, x.flatten(2).sort(dim=2).values)
    together = {tuple(pair) for pair in x[0].flatten(1).T.tolist()}
    assert {tuple(pair) for pair in shuffled[0].flatten(1).T.tolist()} == together, "channels stay together"


def test_shuffled_points_keep_every_coordinate_s_distribution_alone():
    x = torch.randn(50, 1) @ torch.ones(1, 2)
    spoil = degraded(SampleFormat(axes=("coordinate",), shape=(2,)))
    assert list(spoil) == ["shuffled"]
    shuffled = spoil["shuffled"](Batch(x), torch.Generator().manual_seed(0))
    assert torch.equal(shuffled.sort(dim=0).values, x.sort(dim=0).values)
    assert abs(torch.corrcoef(shuffled.T)[0, 1]) < 0.5


@pytest.mark.parametrize(
    ("heldout", "asked", "planned"),
    [
        (10_000, {}, (1000, 5)),
        (100_000, {}, (2000, 5)),
        (360, {}, (45, 4)),
        (100, {}, (50, 1)),
        (10_000, {"n": 300}, (300, 1)),
        (10_000, {"repeats": 10}, (500, 10)),
        (10_000, {"n": 300, "repeats": 7}, (300, 7)),
        (100_000, {"most": 500}, (125, 4)),
        (4, {}, (2, 1)),
    ],
)
def test_rows_are_planned_by_what_there_is(heldout, asked, planned):
    assert plan_rows(heldout, **asked) == planned


@pytest.mark.parametrize(("seconds", "rows"), [(0.01, 10_000), (1.0, 1_000), (1.9, 1_000), (2.5, 500), (100.0, 100)])
def test_fewer_rows_are_planned_for_a_slow_generator(seconds, rows):
    times = iter([0.0, seconds])
    drawn = []
    assert rows_in_time(sampler(), drawn.append, lambda: next(times)) == rows
    assert drawn == [16, 16]


def test_a_config_is_no_secret():
    assert STANDARD["precision-recall"].config().neighbours == 3
    assert STANDARD["density-coverage"].config().neighbours == 5
    assert isinstance(STANDARD["fid"].config(), Config)
    assert {name for name, metric in STANDARD.items() if metric.when == "request"} == {"bracket"}
