"""Generators of other projects: the same pictures as theirs, from every form their files have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import wganx
from wganx.config import resolve
from wganx.errors import DataError
from wganx.pretrained.files import digest_of, read_content
from wganx.runs.pretrained import open_generator

Make = Callable[..., tuple[Path, dict[str, Tensor]]]
Forwards = dict[str, Callable[..., Tensor]]


def opened(path: Path) -> wganx.Sampler:
    """The generator in double precision, in which both computations agree whatever the order of their sums."""
    sampler = open_generator(path, plugin="image", device="cpu").sampler
    sampler.module.double()
    return sampler


def exactly(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.double() for name, value in state.items()}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("infix", [".module", ""], ids=["module", "older"])
@pytest.mark.parametrize("prefix", ["", "module."], ids=["plain", "parallel"])
def test_gan_zoo_makes_the_pictures_of_its_project(
    gan_zoo_file: Make, forwards: Forwards, legacy: bool, infix: str, prefix: str
) -> None:
    path, state = gan_zoo_file(infix=infix, prefix=prefix, legacy=legacy)
    made, z = opened(path), torch.randn(6, 5, dtype=torch.float64)
    torch.testing.assert_close(made.draw(6, noise=z), forwards["gan-zoo"](exactly(state), z), atol=1e-5, rtol=0)
    assert made.sample is not None
    assert made.sample.shape == (3, 16, 16)


@pytest.mark.parametrize("widths", [(8, 6), (8, 6, 4)])
def test_a_checkpoint_inside_a_fade_keeps_its_share(
    gan_zoo_file: Make, forwards: Forwards, widths: tuple[int, ...]
) -> None:
    path, state = gan_zoo_file(widths, alpha=0.25, leakyReluLeak=0.1)
    state, z = exactly(state), torch.randn(4, 5, dtype=torch.float64)
    made = opened(path).draw(4, noise=z)
    expected = forwards["gan-zoo"](state, z, alpha=0.25, leak=0.1)
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)
    assert (expected - forwards["gan-zoo"](state, z, leak=0.1)).abs().max() > 0.01  # the share is seen


def test_labels_join_the_noise_in_their_order(gan_zoo_file: Make, forwards: Forwards) -> None:
    labels = {"hair": {"order": 1, "values": ["dark", "fair"]}, "mood": {"order": 0, "values": ["a", "b", "c"]}}
    path, state = gan_zoo_file(attribKeysOrder=labels)
    sampler, z = opened(path), torch.randn(2, 5, dtype=torch.float64)
    made = sampler.draw(2, noise=z, given={"mood": "c", "hair": "dark"})
    joined = torch.cat([z, torch.tensor([[0, 0, 1, 1, 0]] * 2)], dim=1)
    torch.testing.assert_close(made, forwards["gan-zoo"](exactly(state), joined), atol=1e-5, rtol=0)
    with pytest.raises(wganx.UsageError, match="no class 'red'; classes: dark, fair"):
        sampler.draw(2, given={"hair": "red"})


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("whole", [True, False], ids=["checkpoint", "state dict"])
@pytest.mark.parametrize("size", [32, 48])
def test_mimicry_makes_the_pictures_of_its_project(
    mimicry_file: Make, forwards: Forwards, legacy: bool, whole: bool, size: int
) -> None:
    path, state = mimicry_file(size, legacy=legacy, whole=whole)
    z = torch.randn(3, 7, dtype=torch.float64)
    made = opened(path).draw(3, noise=z)
    expected = forwards["mimicry"](exactly(state), z, size // 8)
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)
    assert expected.std() > 0.05


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: content["avgG"].pop("toRGBLayers.2.module.bias"), "lacks toRGBLayers.2.bias of the progr"),
        (lambda content: content["avgG"].pop("formatLayer.module.weight"), "not of its progressive generator"),
        (lambda content: content.update(avgG=3), "its avgG holds no tensors by name"),
        (lambda content: content["config"].update(lossCriterion="DCGAN"), "was trained under DCGAN, and only WGANGP"),
    ],
    ids=["tensor", "other network", "no tensors", "objective"],
)
def test_what_a_gan_zoo_file_lacks_is_said(
    gan_zoo_file: Make, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    path, _ = gan_zoo_file()
    content = dict(read_content(path, ["models.utils.config.BaseConfig"]))
    content["config"] = vars(content["config"])
    change(content)
    torch.save(content, path)
    with pytest.raises(DataError, match=told):
        open_generator(path, plugin="image")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("block3.c2.bias"), r"lacks block3\.c2\.bias of mimicry's WGAN-GP generator"),
        (lambda state: state.update({"block5.c1.weight": torch.ones(1)}), "only those of WGAN-GP with 32 and 48 px"),
    ],
)
def test_what_a_mimicry_file_lacks_is_said(
    mimicry_file: Make, change: Callable[[dict[str, Tensor]], object], told: str
) -> None:
    path, state = mimicry_file(whole=False)
    change(state)
    torch.save(state, path)
    with pytest.raises(DataError, match=told):
        open_generator(path, plugin="image")


def test_pictures_are_cut_and_gradients_pass(gan_zoo_file: Make) -> None:
    path, _ = gan_zoo_file()
    generator = open_generator(path, plugin="image", device="cpu")
    network: Any = generator.sampler.module
    assert network(torch.randn(8, 5)).abs().max() <= 1
    network.train().requires_grad_(True)
    with torch.no_grad():
        network.to_picture.layer.bias.fill_(50.0)  # everything is cut
    made = network(torch.randn(8, 5))
    torch.testing.assert_close(made, torch.ones_like(made))
    made.sum().backward()
    assert network.to_picture.layer.bias.grad.abs().min() > 0


def test_size_and_network_follow_from_the_file_for_a_folder_of_ones_own(
    gan_zoo_file: Make, save_picture: Callable[..., Path], tmp_path: Path
) -> None:
    path, _ = gan_zoo_file()
    for number in range(4):
        save_picture(tmp_path / "photos" / f"{number}.png")
    run = resolve(plugin="image", data=tmp_path / "photos", init=path).run
    assert (run.dataset.name, run.generator.name, run.generator.noise) == ("folder", "gan-zoo", 5)
    assert run.model_dump()["dataset"]["size"] == 16
    assert run.train.init_sha256 == digest_of(path)
    chosen = resolve(plugin="image", data=tmp_path / "photos", init=path, settings=["dataset.size=32"]).run
    assert chosen.model_dump()["dataset"]["size"] == 32
    for said in ("dataset=5", "dataset=", "dataset=[1]", "generator=5", "train=5"):
        with pytest.raises(wganx.ConfigError):
            resolve(plugin="image", init=path, settings=[said])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"task.labels": False},
            r"makes samples of channel 3 x height 16 x width 16, and the dataset has channel 1 x .*; choose a dataset ",
        ),
        ({}, r"made for labels none, and this task gives it label; let task\.labels and the dataset's labels be the "),
    ],
)
def test_weights_of_coloured_pictures_begin_no_grey_ones(
    gan_zoo_file: Make, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    path, _ = gan_zoo_file()
    with pytest.raises(wganx.ConfigError, match=message):
        wganx.train("image", "digits", init=path, overrides=options, out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


PICTURES: dict[str, dict[str, Any]] = {
    "grey": {"dataset.name": "digits"},
    "coloured": {"dataset.name": "procedural-faces", "dataset.size": 16, "dataset.count": 40},
}


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            {**PICTURES["grey"], "task.labels": False},
            {**PICTURES["coloured"], "task.labels": False},
            r"makes samples of channel 1 x height 16 x width 16, and the dataset has channel 3 x height 16 x ",
        ),
        (
            {**PICTURES["coloured"], "task.labels": False},
            {**PICTURES["grey"], "task.labels": False},
            r"makes samples of channel 3 x height 16 x width 16, and the dataset has channel 1 x height 16 x ",
        ),
        (
            {**PICTURES["grey"], "task.labels": True},
            {**PICTURES["grey"], "task.labels": False},
            r"trained with the labels: label of 10 classes; and the task gives it: none; let task\.labels and the ",
        ),
    ],
    ids=["grey-to-coloured", "coloured-to-grey", "labels"],
)
def test_what_another_run_was_trained_for_is_told_in_words(
    first: dict[str, Any], second: dict[str, Any], message: str, tmp_path: Path
) -> None:
    one = {"train.steps": 1, "preview.count": 4, "preview.walk": 0, "generator.width": 4, "critic.width": 4}
    run = wganx.train("image", "faces-tiny", overrides={**one, **first}, out=tmp_path / "first", device="cpu")
    with pytest.raises(wganx.ConfigError, match=message):
        wganx.train(
            "image", "faces-tiny", overrides={"train.steps": 1, **second}, init=run.folder.path,
            out=tmp_path / "second", device="cpu",
        )  # fmt: skip
