"""Sizes beyond memory are refused before they are taken, by the name of the option and where it stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from wganx.config import resolve
from wganx.errors import PluginFailed, PreflightError
from wganx.runs import sizes
from wganx.runs.assembly import Assembly
from wganx.runs.sizes import build_network, remark_on_batches, within_memory

GB = 10**9


def assembly(*settings: str) -> Assembly:
    return Assembly(resolve(plugin="points", scenario="ring", settings=settings, environ={}))


@pytest.fixture(autouse=True)
def _a_machine_of_4_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "free_memory", lambda device: 4 * GB)


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("generator.width=1000000", "generator 'mlp' asks for 4,000.0 GB of memory where 4.0 GB are free"),
        ("critic.width=100000", "critic 'mlp' asks for 40.0 GB of memory where 4.0 GB are free"),
        ("generator.depth=100", "generator 'mlp' is made of more than 30 tensors"),
        ("dataset.count=100000000000000", "dataset 'ring' asks for more memory than there is, 4.0 GB are free"),
        ("train.batch_size=1000000000", "a batch asks for 27.0 GB of memory where 4.0 GB are free"),
        ("preview.count=1000000000", "a preview asks for 8.0 GB of memory where 4.0 GB are free"),
    ],
)
def test_a_size_beyond_memory_is_refused(setting: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_TENSORS", 30)
    option, _, value = setting.partition("=")
    made = assembly(setting)
    with pytest.raises(PreflightError) as failure:
        _ = made.stream
    assert str(failure.value) == (f"{what}; lower {option}={value}, from --set {setting}")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((), []),
        (("train.batch_size=65536",), []),
        (("train.batch_size=5000", "dataset.count=100"), []),
        (
            ("train.batch_size=10000000",),
            [
                "a batch has 10,000,000 rows, 1,000 times the 10,000 items to learn from: each is in every batch as "
                "often, and a step takes as much longer; lower train.batch_size=10000000, from --set "
                "train.batch_size=10000000"
            ],
        ),
        (
            ("train.batch_size=60000000", "dataset.count=50000000"),
            [
                "a batch asks for 1.1 GB of memory where 4.0 GB are free, so that a step takes long; lower "
                "train.batch_size=60000000, from --set train.batch_size=60000000"
            ],
        ),
    ],
    ids=str,
)
def test_a_batch_that_is_hardly_meant_is_told_of(settings: tuple[str, ...], said: list[str]) -> None:
    made = assembly(*settings)
    count, small = made.resolved.dump()["dataset"]["count"], assembly()
    items = type("Many", (), {"formats": small.train_items.formats, "__len__": lambda self: count})()
    sample = small.game.sample
    assert list(remark_on_batches(made.resolved, items, sample, torch.device("cpu"))) == said


def test_gradients_and_average_need_a_place_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made = assembly("generator.width=500")
    monkeypatch.setattr(sizes, "free_memory", lambda device: 3 * 10**6)  # for the 1 MB of a layer, not for its copies
    with pytest.raises(PreflightError, match=r"^training the networks asks for [3-9]\.\d MB of memory where 3"):
        _ = made.trainer


LAYER = 4 * 10**6
"""Bytes of the 1000 x 1000 weights of a layer, and 4,000 of its bias."""


def layers(count: int, made: list[Tensor]) -> nn.Module:
    network = nn.Sequential()
    for _ in range(count):
        network.append(nn.Linear(1000, 1000))
        made += network[-1].parameters()
    return network


def built(count: int, made: list[Tensor], role: str = "generator") -> nn.Module:
    wanted = assembly("generator.width=123", "critic.width=456").resolved
    return build_network(wanted, role, lambda: layers(count, made), torch.device("cpu"))


@pytest.mark.parametrize(
    ("role", "count", "what"),
    [
        (
            "generator",
            6,
            "generator 'mlp' asks for 24.0 MB of memory where 20.0 MB are free; lower generator.width=123",
        ),
        ("critic", 6, "critic 'mlp' asks for 24.0 MB of memory where 20.0 MB are free; lower critic.width=456"),
        (
            "generator",
            4,
            "training the networks asks for 48.0 MB of memory where 20.0 MB are free; lower generator.width",
        ),
        (
            "critic",
            3,
            "training the networks asks for 24.0 MB of memory where 20.0 MB are free; lower critic.width=456",
        ),
    ],
)
def test_layers_of_which_each_fits_are_refused_before_they_are_made(
    role: str, count: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "free_memory", lambda device: 5 * LAYER)
    monkeypatch.setattr(sizes, "_LARGE", LAYER)
    made: list[Tensor] = []
    with pytest.raises(PreflightError) as failure:
        built(count, made, role)
    assert str(failure.value).startswith(what)
    assert sum(weight.nbytes for weight in made if weight.device.type == "cpu") <= LAYER


def test_a_large_network_has_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(7)
    plain, after = layers(3, []), torch.rand(1)
    monkeypatch.setattr(sizes, "_LARGE", LAYER)
    torch.manual_seed(7)
    network = built(3, [])
    assert torch.equal(torch.rand(1), after)
    pairs = zip(network.parameters(), plain.parameters(), strict=True)
    assert all(torch.equal(mine, its) for mine, its in pairs)


def looks_at_values() -> nn.Module:
    layer = nn.Linear(1000, 1000)
    float(layer.weight.sum())
    return layer


def swallows_errors() -> nn.Module:
    try:
        return nn.Linear(1000, 1000)
    except Exception:
        return nn.Identity()


@pytest.mark.parametrize("build", [looks_at_values, swallows_errors])
def test_a_large_network_of_any_kind_is_built(build: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    def call() -> nn.Module:
        try:
            return build()
        except Exception as error:  # as the guard around plugins does
            raise PluginFailed("it failed") from error

    monkeypatch.setattr(sizes, "_LARGE", LAYER - 1)
    network = build_network(assembly().resolved, "critic", call, torch.device("cpu"))
    assert isinstance(network, nn.Linear)
    assert network.weight.device.type == "cpu"


@pytest.mark.parametrize(
    ("plugin", "scenario"),
    [("points", "ring"), ("image", "faces-tiny"), ("audio", "wavegan-tiny"), ("video", "prediction-tiny")],
)
def test_networks_of_every_plugin_are_looked_at_without_values(
    plugin: str, scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[str, float]] = []
    monkeypatch.setattr(sizes, "_LARGE", 0)
    monkeypatch.setattr(sizes, "_check", lambda resolved, what, size, *rest: found.append((what, size)))
    trainer = Assembly(resolve(plugin=plugin, scenario=scenario, environ={})).trainer
    generator, critic = (sum(weight.nbytes for weight in of.parameters()) for of in (trainer.generator, trainer.critic))
    assert [size for what, size in found if what != "training the networks"] == [generator, critic]


def test_what_was_given_back_may_be_taken_again() -> None:
    with within_memory(assembly().resolved, "it", ("generator",)):
        for _ in range(8):
            torch.empty(10**9, dtype=torch.uint8)  # eight times a gigabyte of four, one after the other


def test_weights_are_the_same_bits_inside() -> None:
    torch.manual_seed(3)
    plain = torch.nn.Linear(5, 5).weight
    torch.manual_seed(3)
    with within_memory(assembly().resolved, "it", ("generator",), tensors=2):
        assert torch.equal(torch.nn.Linear(5, 5).weight, plain)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="something else"), within_memory(assembly().resolved, "it", ()):
        raise RuntimeError("something else")


def test_a_plugins_memory_error_is_told_as_one() -> None:
    said = r"^it asks for more memory than there is, 4\.0 GB are free; make it smaller$"
    with pytest.raises(PreflightError, match=said), within_memory(assembly().resolved, "it", ()):
        raise MemoryError
