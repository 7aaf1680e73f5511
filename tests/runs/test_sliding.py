"""Sliders on a generator whose attributes are known numbers of its noise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wganx
from wganx.batch import Batch, SampleFormat
from wganx.errors import DataError, UsageError
from wganx.plugins.descriptors import DataCard, Extractor, Modality
from wganx.runs.sliding import STOPS, Slider, Sliding

LABELS = {
    "smile": SampleFormat.label(("no", "yes")),
    "hair": SampleFormat.label(("dark", "fair", "red")),
    "frame": SampleFormat.label(("no", "round")),
}
SIZE = 8


class Face(nn.Module):
    """Smiles by the first number of the noise, with fair hair by that and the second; the frame never changes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(SIZE, 3)
        with torch.no_grad():
            self.layer.weight.zero_()
            self.layer.weight[0, 0], self.layer.weight[1, 0], self.layer.weight[1, 1] = 1.5, 0.8, 1.0
            self.layer.weight[2, 2] = 5.0

    def forward(self, noise: Tensor, **labels: Tensor) -> Tensor:
        made: Tensor = self.layer(noise)
        return made


class Judge:
    """Logits of smile, hair and frame, as `Features` gives them."""

    def __call__(self, name: str, side: Batch) -> Tensor:
        assert name == "judge"
        smile, hair, _ = side.real.unbind(1)
        zero = torch.zeros_like(smile)
        return torch.stack([zero, smile, zero, hair, zero - 4, zero + 9, zero], 1)

    def forget(self) -> None:
        pass


def sliding(labels: dict[str, SampleFormat] = LABELS, judged: bool = True, **context: SampleFormat) -> Sliding:
    judge = Extractor(
        name="judge", modality="face", summary="", load=Judge, finds_labels=judged,
        card=DataCard(source="here", licence="MIT", offline=True),
    )  # fmt: skip
    sample = SampleFormat(axes=("number",), shape=(3,))
    assembly = SimpleNamespace(
        train_items=SimpleNamespace(formats={"sample": sample, **labels}),
        evaluator=SimpleNamespace(features=Judge()),
        game=SimpleNamespace(sample=sample),
    )
    modality = Modality(name="face", summary="", axes=("number",), write=print, preview=print)
    resolved = SimpleNamespace(
        parts=SimpleNamespace(modality=modality), catalog=SimpleNamespace(offers=lambda sort: [judge])
    )
    run: Any = SimpleNamespace(assembly=assembly, resolved=resolved)
    torch.manual_seed(0)
    return Sliding(run, wganx.Sampler(Face(), noise=(SIZE,), device="cpu", sample=sample, context=context), seed=0)


def test_a_slider_raises_its_class_and_at_first_no_other() -> None:
    found = sliding()
    slider = found.slider("smile")
    assert (slider.name, slider.label, slider.index) == ("smile=yes", "smile", 1)
    # Along the first number alone hair would become fair; what makes it so is taken out.
    expected = torch.tensor([1.0, -0.8] + [0.0] * 6, dtype=torch.float64)
    torch.testing.assert_close(slider.direction, expected / expected.norm(), atol=0.03, rtol=0)
    slid = found.measure(slider)
    assert slid is not None
    assert list(slid.seen) == sorted(slid.seen)
    assert slid.seen[0] < 0.1 < 0.9 < slid.seen[-1]
    assert slid.changed["smile"] > 0.9
    assert slid.changed["hair"] < 0.1
    assert slid.changed["frame"] == 0
    assert slid.by_chance["smile"] < slid.changed["smile"]
    assert slid.in_words(slider).startswith("smile=yes is seen with probability 0.0")


def test_samples_differ_in_the_stop_alone() -> None:
    found = sliding()
    slider = Slider("second", torch.eye(SIZE, dtype=torch.float64)[1])
    samples = found.samples(slider, 3).reshape(3, len(STOPS), 3)
    torch.testing.assert_close(samples[:, :, 0], samples[:, :1, 0].expand(-1, len(STOPS)))
    torch.testing.assert_close(samples[:, 1:, 1] - samples[:, :-1, 1], torch.ones(3, len(STOPS) - 1))


def test_the_first_way_is_what_the_first_layer_stretches_most() -> None:
    found = sliding()
    torch.testing.assert_close(found.slider("1").direction, torch.eye(SIZE, dtype=torch.float64)[2])
    assert [way.name for way in found.ways(3)] == ["way 1", "way 2", "way 3"]
    slid = found.measure(found.slider("1"))
    assert slid is not None
    assert slid.seen == ()


@pytest.mark.parametrize(("wanted", "index"), [("hair=red", 2), ("red", 2), ("fair", 1), ("smile=no", 0)])
def test_a_class_is_named_with_its_label_or_alone(wanted: str, index: int) -> None:
    assert sliding().slider(wanted).index == index


def test_what_never_changes_has_no_slider() -> None:
    with pytest.raises(DataError, match="--slide round: it changes with nothing of the noise"):
        sliding().slider("round")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("0", "the noise has 8 ways, from 1 to 8, and --slide 0 is none"),
        ("9", "the noise has 8 ways, from 1 to 8, and --slide 9 is none"),
        ("hair", "--slide hair: say which hair, --slide hair=CLASS of dark, fair, red"),
        ("hair=rad", "--slide hair=CLASS of dark, fair, red; did you mean 'red'"),
        ("smyle", "--slide smyle: there is no label 'smyle'; labels: smile, hair, frame; did you mean 'smile'"),
        ("no", "--slide no: smile and frame have it; say --slide smile=no"),
    ],
)
def test_what_there_is_not_is_told(wanted: str, message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        sliding().slider(wanted)
    assert message in str(refusal.value)


def test_what_the_generator_is_told_is_chosen_and_not_slid() -> None:
    found = sliding(smile=LABELS["smile"])
    with pytest.raises(UsageError, match=r"smile is told to this generator, .*: choose it by --given smile="):
        found.slider("smile=yes")
    assert found.slider("fair").label == "hair"


def test_without_labels_or_who_finds_them_there_are_the_ways() -> None:
    with pytest.raises(UsageError, match="this dataset names no labels; the ways that change most are --slide 1 to 8"):
        sliding({}).slider("smile")
    with pytest.raises(UsageError, match="nothing here tells its labels apart; the ways that change most are"):
        sliding(judged=False).slider("smile")
    found = sliding({})
    assert found.measure(found.slider("1")) is None


def test_what_has_no_noise_or_no_sheet_is_told() -> None:
    silent = wganx.Sampler(nn.Linear(1, 1), noise=None, device="cpu")
    with pytest.raises(UsageError, match="takes no noise, so there is nothing to slide along"):
        Sliding(sliding().run, silent, seed=0)
    found = sliding()
    with pytest.raises(UsageError, match="modality 'face' has no sheet for sliders; leave --slide out"):
        found.sheet(found.ways(1), found.samples(found.ways(1)[0], 1), 1)
