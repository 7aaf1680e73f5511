"""Checks of metrics and extractors: numbers that mean something, the same for a seed, and nothing moved by looking."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.config import find_extractor
from wganx.errors import MissingExtra, PluginFailed, Unavailable
from wganx.evaluation import Features
from wganx.plugins.contracts import ExtractorContext, MetricContext, Sides
from wganx.plugins.descriptors import Extractor, Metric
from wganx.plugins.guard import call, calling
from wganx.testing.bench import Bench
from wganx.testing.check import NotChecked, check, fail, streams_unmoved
from wganx.testing.places import SEED, Setting

SIDE = 64
"""Rows on each side of a metric."""
FEW = 16
"""Rows on which a number says nothing about better or worse."""


def _settings(metric: Metric, bench: Bench) -> list[Setting]:
    settings = _played_once(bench.settings(metric.modality))
    found = [setting for setting in settings if not metric.tasks or setting.task.name in metric.tasks]
    if not found:
        raise NotChecked(f"none of its tasks ({', '.join(metric.tasks)}) can be played here")
    return found


def _played_once(settings: Iterable[Setting]) -> list[Setting]:
    """Every task on every dataset under the first options met: extractors learn for each, which may take minutes."""
    found: dict[tuple[str, str], Setting] = {}
    for setting in settings:
        found.setdefault((setting.task.name, setting.dataset.name), setting)
    return list(found.values())


def _sides(setting: Setting) -> tuple[Batch, Batch]:
    """Two sets of held-out samples that share no row, where there are enough."""
    truth, reference = _drawn_sides(setting)
    return truth.each(torch.clone), reference.each(torch.clone)


@lru_cache(maxsize=1)  # one check asks several times for those of one setting, which may be slow to draw
def _drawn_sides(setting: Setting) -> tuple[Batch, Batch]:
    half = max(min(SIDE, len(setting.items("heldout")) // 2), 2)
    whole = setting.batch(2 * half)
    return whole[:half], whole[half:]


def _noise(truth: Batch, setting: Setting) -> Batch:
    """Worse than any generator: noise around the wrong place, wider than they are where nothing bounds it."""
    rng, real = torch.Generator().manual_seed(SEED), truth.real
    middle = float(real.mean())
    if setting.game.sample.value_range is None:
        spread = 3 * float(real.std()) + 1
        return truth.with_real(middle + spread * (1 + torch.randn(real.shape, generator=rng)))
    low, high = setting.game.sample.value_range
    half = torch.rand(real.shape, generator=rng) * (high - low) / 2
    return truth.with_real(low + half if middle > (low + high) / 2 else high - half)


def _context(metric: Metric, setting: Setting, bench: Bench, seed: int = SEED) -> MetricContext:
    def load(name: str) -> nn.Module:
        return _load(find_extractor(bench.catalog, metric.modality, name), setting, bench)

    features = bench.once(("features", setting.name), lambda: Features(load, torch.device("cpu")))
    if any(option.is_required() for option in metric.config.model_fields.values()):
        raise NotChecked("it has an option without a default; give it one, so that it can be tried")
    return MetricContext(
        config=metric.config(),
        game=setting.game,
        items=setting.items,
        features=features,
        seed=seed,
        fitted=setting.fitted,
    )


def _compute(
    metric: Metric, bench: Bench, setting: Setting, sides: Sides | None = None, seed: int = SEED
) -> Mapping[str, Any]:
    """What it finds, for other real samples unless told; empty where it does not apply."""
    if sides is None:
        truth, reference = _sides(setting)
        sides = Sides(truth.each(torch.clone), truth.each(torch.clone), reference.each(torch.clone))
    context = _context(metric, setting, bench, seed)
    try:
        found = call(metric, "compute", sides, context, returns=object)
    except (MissingExtra, Unavailable) as error:
        raise NotChecked(f"it needs what is not here: {error}") from error
    if not isinstance(found, Mapping):
        fail(f"on {setting.name} it returned {type(found).__name__}", "return names with numbers: {'distance': 0.5}")
    return found


@check("metric", name="numbers", mend="return an empty mapping where it does not apply")
def metric_gives_numbers(metric: Metric, bench: Bench) -> None:
    """It gives finite numbers by name, or by name and class."""
    applies = False
    for setting in _settings(metric, bench):
        for name, value in _compute(metric, bench, setting).items():
            applies = True
            if isinstance(value, Mapping):
                wrong = {each: number for each, number in value.items() if not _is_number(number)}
                if wrong:
                    each, number = next(iter(wrong.items()))
                    fail(f"on {setting.name} {name!r} of class {each!r} is {number!r}", "return plain floats")
                continue
            if not isinstance(name, str):
                fail(f"on {setting.name} a number is named {name!r}", "name every number by a word")
            if not _is_number(value) or value != value:
                fail(f"on {setting.name} {name!r} is {value!r}", "return plain, finite floats: tensor.item()")
    if not applies:
        raise NotChecked("it applies to nothing here")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


@check("metric", name="better", mend="return an empty mapping where it does not apply")
def metric_names_what_it_ranks(metric: Metric, bench: Bench) -> None:
    """What `better` names is among its numbers, each lower or higher."""
    wrong = {name: way for name, way in metric.better.items() if way not in ("lower", "higher")}
    if wrong:
        name, way = next(iter(wrong.items()))
        fail(f"better[{name!r}] is {way!r}", "say 'lower' or 'higher'")
    found = {name for setting in _settings(metric, bench) for name in _compute(metric, bench, setting)}
    # A number may need labels, say, that no dataset here has; one of all must be there.
    if metric.better and found and not found & set(metric.better):
        fail(
            f"better names {sorted(metric.better)}, and it gives {sorted(found)}",
            "name in better the numbers that it returns",
        )


@check("metric", name="untouched", mend="return an empty mapping where it does not apply")
def metric_leaves_samples(metric: Metric, bench: Bench) -> None:
    """It writes to none of the samples that it is shown."""
    for setting in _settings(metric, bench):
        truth, reference = _sides(setting)
        shown = Sides(truth.each(torch.clone), truth.each(torch.clone), reference.each(torch.clone))
        _compute(metric, bench, setting, shown)
        for name, side in (("candidate", truth), ("truth", truth), ("reference", reference)):
            if not torch.equal(getattr(shown, name).real, side.real):
                fail(f"on {setting.name} it writes to sides.{name}", "work on a copy: no method that ends in _")


@check("metric", name="repeatable", mend="return an empty mapping where it does not apply")
def metric_is_repeatable(metric: Metric, bench: Bench) -> None:
    """The same samples and seed give the same numbers, and its draws are its own."""
    for setting in _settings(metric, bench):
        _compute(metric, bench, setting)  # what it loads late may draw while it loads
        with streams_unmoved(f"on {setting.name} it"):
            one, other = (dict(_compute(metric, bench, setting)) for _ in range(2))
        if one != other:
            fail(f"on {setting.name} it gives {one} and then {other}", "draw from a stream seeded by context.seed")


@check("metric", name="direction", mend="let it take samples that are far from real ones")
def metric_points_the_right_way(metric: Metric, bench: Bench) -> str | None:
    """Other real samples, or one of the task's own solutions, are no worse than noise, by what it says is better.

    A task without pairs has no true sample to lose against noise: what its truth says may be another thing.
    """
    if not metric.better:
        return "it ranks nothing"
    gains: dict[str, list[float]] = {}
    seen: dict[str, str] = {}
    rng = torch.Generator().manual_seed(SEED)
    for setting in _settings(metric, bench):
        truth, reference = _sides(setting)
        if len(truth) < FEW:
            continue
        real = _compute(metric, bench, setting)
        noise = _compute(metric, bench, setting, Sides(_noise(truth, setting), truth, reference))
        ranked = set(metric.better) & set(real) & set(noise)

        def gain(found: Mapping[str, Any], name: str, noise: Mapping[str, Any] = noise) -> float:
            one, other = float(found[name]), float(noise[name])
            better = (other - one) * (1 if metric.better[name] == "lower" else -1)
            return better if abs(better) > 1e-6 * (1 + abs(one)) else 0.0

        solved = []
        if any(gain(real, name) < 0 for name in ranked):
            solved = [
                _compute(metric, bench, setting, Sides(truth.with_real(made), truth, reference))
                for made in (solve(truth.each(torch.clone), rng) for solve in setting.game.baselines().values())
            ]
        for name in ranked:
            best = max(gain(found, name) for found in (real, *solved) if name in found)
            one, other = float(real[name]), float(noise[name])
            gains.setdefault(name, []).append(best)
            seen[name] = f"on {setting.name} {name!r} is {one:.4g} for real samples and {other:.4g} for noise"
    for name, found in gains.items():
        if max(found) < 0:
            fail(
                f"{seen[name]}, and {metric.better[name]} is said to be better",
                "turn better around, or mend the number",
            )
    if equal := [name for name, found in gains.items() if max(found) <= 0]:
        return f"{equal[0]!r} does not tell real samples from noise"
    return None if gains else "there are too few held-out items to tell"


def _load(extractor: Extractor, setting: Setting, bench: Bench) -> nn.Module:
    """An extractor's network, loaded once a setting."""
    learnt: dict[str, Mapping[str, Tensor]] = bench.once(("learnt", extractor.name, setting.name), dict)

    def keep(learn: Callable[[], Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
        if "" not in learnt:
            learnt[""] = {name: tensor.detach().clone() for name, tensor in learn().items()}
        return learnt[""]

    def load() -> nn.Module:
        context = ExtractorContext(
            game=setting.game,
            items=setting.items,
            keep=keep,
            device=torch.device("cpu"),
            fitted=setting.fitted,
        )
        network: nn.Module = call(extractor, "load", extractor.config(), context, returns=nn.Module)
        return network.eval()

    found: nn.Module = bench.once(("extractor", extractor.name, setting.name), load)
    return found


def _extractors(extractor: Extractor, bench: Bench) -> list[tuple[Setting, nn.Module]]:
    loaded, refusals = [], []
    for setting in _played_once(bench.settings(extractor.modality)):
        try:
            loaded.append((setting, _load(extractor, setting, bench)))
        except PluginFailed:
            raise
        except Exception as error:
            refusals.append(f"{error} ({setting.name})")
    if not loaded:
        raise NotChecked(f"it suits nothing here: {refusals[0]}")
    return loaded


@check("extractor", name="features", mend="let load(config, context) return a network from samples to features")
def features_are_rows(extractor: Extractor, bench: Bench) -> None:
    """It gives finite features, a row a sample."""
    for setting, network in _extractors(extractor, bench):
        features = _features(extractor, network, setting.batch().real)
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != 6:
            shape = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            fail(f"on {setting.name} it gives {shape} for 6 samples", "return (N, d): end in .flatten(1)")
        if not bool(torch.isfinite(features).all()):
            fail(f"on {setting.name} its features hold NaN or infinite values", "mend it")


@check("extractor", name="rows", mend="let load(config, context) return a network from samples to features")
def features_are_apart(extractor: Extractor, bench: Bench) -> None:
    """A sample's features are the same every time, and whatever else is in the batch."""
    for setting, network in _extractors(extractor, bench):
        real = setting.batch().real
        whole, again, alone = (_features(extractor, network, part) for part in (real, real, real[:2]))
        if not torch.equal(whole, again):
            fail(f"on {setting.name} two calls differ", "draw nothing in evaluation mode")
        if not torch.allclose(whole[:2], alone, atol=1e-4, rtol=1e-3):
            fail(
                f"on {setting.name} the features of a sample depend on the others of its batch",
                "use statistics that are stored (batch norm in evaluation mode), none of the batch",
            )


@torch.no_grad()
def _features(extractor: Extractor, network: nn.Module, samples: Tensor) -> Any:
    with calling(extractor, "forward"):
        return copy.deepcopy(network).eval()(samples.clone())
