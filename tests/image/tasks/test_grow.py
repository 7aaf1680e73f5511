"""The game of networks that grow: real pictures at the size of the stage, faded."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from wganx_image.configs.tasks import GrowConfig
from wganx_image.tasks.grow import Grow, fit_growth

from wganx import Formats, SampleFormat

CONFIG = GrowConfig(first_steps=1, stage_steps=4, fade_steps=4)
STORED = SampleFormat(axes=("channel", "height", "width"), shape=(3, 16, 16), value_range=(0, 255))


def game(config: GrowConfig = CONFIG) -> Grow:
    formats = Formats({"sample": STORED})
    return Grow(config, Formats({"sample": STORED}, fit_growth(config, formats, items=[])))  # type: ignore[arg-type]


def real_at(played: Grow, step: int, training: bool = True) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    sample = torch.randint(0, 256, (5, 3, 16, 16), generator=rng, dtype=torch.uint8)
    assert played.at(step) is not None
    return played.batch({"sample": sample}, rng, training=training).real


def mean_of(x: Tensor, size: int) -> Tensor:
    return functional.interpolate(functional.adaptive_avg_pool2d(x, size), size=(16, 16))


def test_pictures_have_the_size_of_the_stage() -> None:
    played = game()
    whole = real_at(played, 0, training=False)
    assert whole.shape == (5, 3, 16, 16)
    torch.testing.assert_close(real_at(played, 0), mean_of(whole, 4))
    torch.testing.assert_close(real_at(played, 10**6), whole)


def test_a_fade_blends_two_sizes_by_the_share_of_the_step() -> None:
    played = game()
    whole = real_at(played, 0, training=False)
    for step, share, sizes in ((1, 0.25, (4, 8)), (3, 0.75, (4, 8)), (6, 0.5, (8, 16))):
        small, large = (mean_of(whole, size) for size in sizes)
        torch.testing.assert_close(real_at(played, step), (1 - share) * small + share * large)
    torch.testing.assert_close(real_at(played, 4), mean_of(whole, 8))  # the last step of a fade


def test_held_out_pictures_stay_as_they_are() -> None:
    played = game()
    assert torch.equal(real_at(played, 0, training=False), real_at(played, 7, training=False))


def test_a_share_stays_where_recorded_steps_read_it() -> None:
    played = game()
    real_at(played, 1)
    (place,) = played._shares.values()
    for step in (2, 3, 5, 6):
        real_at(played, step)
        assert list(played._shares.values()) == [place]
        assert place.item() == played.stage.share
