"""WX081 to WX084: made ailments are found, healthy films are left alone."""

import pytest
import torch
import wganx_video

from wganx import Vitals


def told(fake, real, **context):
    vitals = Vitals(step=1, scalars={}, real=real, fake=fake, context=context)
    return {check.name for check in wganx_video.wganx_health_checks() if check.factory("inspect")(vitals) is not None}


def squares(seed, rows=8, frames=8, size=24):
    """Striped squares on black that move, `(N, T, 1, H, W)`."""
    rng = torch.Generator().manual_seed(seed)
    films = torch.zeros(rows, frames, 1, size, size)
    places = torch.randint(0, size - 8, (rows, 2), generator=rng)
    for row, (y, x) in enumerate(places.tolist()):
        for frame in range(frames):
            at = (x + frame) % (size - 8)
            films[row, frame, 0, y : y + 8 : 2, at : at + 8] = 1
    return films


FILMS = squares(0)
PAST, REAL = FILMS[:, :4], FILMS[:, 4:]


def blurred(films, by=9):
    flat = films.flatten(0, 1)
    for _ in range(2):
        flat = torch.nn.functional.avg_pool2d(flat, by, stride=1, padding=by // 2)
    return flat.view(films.shape)


def test_codes():
    checks = list(wganx_video.wganx_health_checks())
    assert [check.code for check in checks] == ["WX081", "WX082", "WX083", "WX084"]
    assert {check.modality for check in checks} == {"video"}


@pytest.mark.parametrize(
    ("ailment", "fake"),
    [
        ("constant", torch.zeros_like(REAL)),
        ("constant", torch.full_like(REAL, 0.4)),
        ("constant", 0.003 * torch.rand(REAL.shape, generator=torch.Generator().manual_seed(0))),
        ("copied", PAST[:, -1:].expand_as(REAL)),
        ("copied", PAST[:, :1].expand_as(REAL) * 0.99),
        ("blurred", blurred(REAL)),
        ("flickering", REAL * torch.tensor([1.0, 0, 1, 0]).view(1, 4, 1, 1, 1)),
        ("flickering", torch.rand(REAL.shape, generator=torch.Generator().manual_seed(0))),
    ],
)
def test_an_ailment_is_found(ailment, fake):
    assert told(fake, REAL, past=PAST) == {ailment}


def test_healthy_films_are_left_alone():
    assert told(REAL, REAL, past=PAST) == set()
    assert told(squares(1)[:, 4:], REAL, past=PAST) == set()
    assert told(blurred(REAL, 3), REAL, past=PAST) == set()
    noisy = (REAL + 0.01 * torch.randn(REAL.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    assert told(noisy, REAL, past=PAST) == set()


def test_real_films_are_the_measure():
    flat = torch.full_like(REAL, 0.5)
    assert told(flat, flat, past=flat) == set()  # of one colour, still, and copies: as real ones are
    still = REAL[:, :1].expand_as(REAL)
    assert told(still, still, past=still) == set()


def test_copies_between_others():
    ends = FILMS[:, [0, 7]]
    assert "copied" in told(ends[:, :1].clone(), FILMS[:, 3:4], frames=ends)
    assert told(FILMS[:, 3:4], FILMS[:, 3:4], frames=ends) == set()


def test_what_was_given_in_another_size_is_no_copy_and_other_samples_are_left_alone():
    low = torch.nn.functional.avg_pool2d(REAL.flatten(0, 1), 2).view(8, 4, 1, 12, 12)
    assert told(REAL, REAL, low=low) == set()
    for shape in ((4, 1, 16), (4, 2), (4, 3, 8, 8)):
        assert told(torch.zeros(shape), torch.ones(shape)) == set()
