"""Whole films through networks: every frame at its place, no window over a cut, memory that does not grow."""

from __future__ import annotations

import resource
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wganx_video.configs.films import FilmOptions, InterpolateFilmOptions, PredictFilmOptions
from wganx_video.tasks.instants import Instants
from wganx_video.tasks.whole_files import interpolate_file, predict_file, upscale_file

from wganx import SampleFormat, UsageError

AXES = ("frame", "channel", "height", "width")
TWO, FOUR = Instants((0, 2), (1,)), Instants((0, 2, 4, 6), (1, 3, 5))


def clip(frames: int, channels: int = 1) -> SampleFormat:
    return SampleFormat(axes=AXES, shape=(frames, channels, None, None), value_range=(0.0, 1.0))


def values(sink) -> list[int]:
    """Of flat frames."""
    frames = sink.frames_TCHW
    assert (frames == frames[:, :1, :1, :1]).all()
    return frames[:, 0, 0, 0].tolist()


class Line:
    """Goes on as the last two frames of the past do."""

    def __init__(self, future: int = 2) -> None:
        self.future = future
        self.pasts: list[list[int]] = []
        self.draws: list[int] = []

    def __call__(self, context, *, draw=None):
        past = context["past"]
        self.pasts.append((past[0, :, 0, 0, 0] * 255).round().int().tolist())
        self.draws.append(draw)
        step = past[:, -1] - past[:, -2]
        return torch.stack([past[:, -1] + (1 + number) * step for number in range(self.future)], 1)


def predicted(film, sink, make, past=3, **options):
    predict_file(film, make, sink, past=clip(past), future=make.future, options=PredictFilmOptions(**options))
    return values(sink)


@pytest.mark.parametrize(("roll", "beyond"), [(None, [60, 70]), (1, [60]), (5, [60, 70, 80, 90, 100])])
def test_a_film_goes_on_beyond_its_end(flat_film, written, roll, beyond):
    make = Line()
    assert predicted(flat_film([10, 20, 30, 40, 50]), written, make, roll=roll) == [10, 20, 30, 40, 50, *beyond]
    assert make.pasts[0] == [30, 40, 50]


def test_predictions_become_the_past_of_the_next_and_have_a_noise_of_their_own(flat_film, written):
    make = Line()
    predicted(flat_film([10, 20, 30]), written, make, roll=5)
    assert make.pasts == [[10, 20, 30], [30, 40, 50], [50, 60, 70]]
    assert make.draws == [0, 1, 2]


def test_what_lay_before_a_cut_is_no_past(flat_film, written):
    make = Line()
    assert predicted(flat_film([250, 240, 230, 10, 20]), written, make) == [250, 240, 230, 10, 20, 30, 40]
    assert make.pasts == [[10, 10, 20]], "the first frame of the scene stands for those before it"


def test_cuts_are_none_where_the_user_says_so(flat_film, written):
    make = Line()
    predicted(flat_film([230, 10, 20]), written, make, cut=None)
    assert make.pasts == [[230, 10, 20]]


class Enlarged:
    """Larger frames that say in which windows they were made: each is the given one plus what is added."""

    def __init__(self, scale: int = 2, middle: bool = False) -> None:
        self.scale, self.middle = scale, middle
        self.windows: list[list[int]] = []

    def __call__(self, context, *, draw=None):
        low = context["low"]
        self.windows.append((low[0, :, 0, 0, 0] * 255).round().int().tolist())
        if self.middle:
            low = low[:, low.shape[1] // 2][:, None]
        return low.repeat_interleave(self.scale, -1).repeat_interleave(self.scale, -2)


def upscaled(film, sink, make, count=5, **options):
    made = 1 if make.middle else count
    options = FilmOptions(**options)
    upscale_file(film, make, sink, low=clip(count), made=made, scale=make.scale, options=options)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=23), st.sampled_from([1, 2, 3, 5, 7]), st.booleans())
def test_every_frame_comes_back_larger_at_its_place_whatever_the_scenes(film_of, new_sink, cuts, count, middle):
    count -= middle and count % 2 == 0
    light = 0
    drawn = []
    for place, cut in enumerate(cuts):
        light ^= cut
        drawn.append(place + 120 * light)
    frames = torch.tensor(drawn, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 8, 8)
    make, sink = Enlarged(middle=middle), new_sink()
    upscaled(film_of(frames), sink, make, count)
    assert values(sink) == drawn
    for window in make.windows:
        assert len(window) == count
        assert len({value >= 120 for value in window}) == 1, "a window lies over a cut"


def test_upscaling_says_the_size_before_it_writes(noise_film, written):
    upscaled(noise_film(7, 3, 17, 31), written, Enlarged(scale=3))
    assert written.expected.shape == (None, 3, 51, 93)
    assert written.expected.rate_hz == 25.0
    assert written.frames_TCHW.shape == (7, 3, 51, 93)


def test_windows_overlap_by_half_and_count_the_more_the_nearer_to_their_middle(flat_film, written):
    make = Enlarged(scale=1)
    calls = iter(range(100))

    def marked(context, *, draw=None):
        made = make(context)
        number = next(calls)
        return torch.full_like(made, number * 90 / 255)

    marked.scale, marked.middle = 1, False
    upscaled(flat_film([10, 20, 30, 40, 50, 60, 70, 80]), written, marked)
    assert make.windows[-2:] == [[10, 20, 30, 40, 50], [40, 50, 60, 70, 80]]
    # Frames 3 and 4 are in both: with weights 2 and 1 in the first, 1 and 2 in the second.
    assert values(written) == [0, 0, 0, 30, 60, 90, 90, 90]


def test_the_middle_frame_has_as_many_before_it_as_behind_and_scenes_are_reflected(flat_film, written):
    make = Enlarged(middle=True, scale=1)
    upscaled(flat_film([10, 20, 30, 40]), written, make)
    assert make.windows == [[30, 20, 10, 20, 30], [20, 10, 20, 30, 40], [10, 20, 30, 40, 30], [20, 30, 40, 30, 20]]


def test_seams_cannot_be_seen_in_a_film_that_is_cut_into_tiles(noise_film, new_sink):
    film = noise_film(6, 3, 150, 170)
    whole, tiled = new_sink(), new_sink()

    def upscale(sink, **options):
        def make(context, *, draw=None):
            low = context["low"]
            blurred = torch.nn.functional.avg_pool2d(low.flatten(0, 1), 5, 1, 2, count_include_pad=False)
            return blurred.unflatten(0, low.shape[:2]).repeat_interleave(2, -1).repeat_interleave(2, -2)

        upscale_file(film, make, sink, low=clip(3, 3), made=3, scale=2, options=FilmOptions(**options))
        return sink.frames_TCHW.int()

    assert (upscale(whole) - upscale(tiled, tile=48)).abs().max() <= 1


class Between:
    """Frames between, by the line through their two neighbours."""

    def __init__(self, missing=(0.5,), weight: float = 0.0) -> None:
        self.missing = missing
        self.windows: list[list[int]] = []

    def __call__(self, context, *, draw=None):
        frames = context["frames"]
        self.windows.append((frames[0, :, 0, 0, 0] * 255).round().int().tolist())
        if "time" in context:
            time = context["time"][:, None, None, None, None]
            return frames[:, :1] * (1 - time) + frames[:, 1:] * time
        made = []
        for at in self.missing:
            before = int(at)
            made.append(frames[:, before] * (1 - at + before) + frames[:, before + 1] * (at - before))
        return torch.stack(made, 1)


def interpolated(film, sink, make=None, instants=TWO, channels=1, **options):
    kept = clip(instants.count, channels)
    make = make or Between()
    interpolate_file(film, make, sink, kept=kept, instants=instants, options=InterpolateFilmOptions(**options))
    return values(sink)


def test_frames_lie_half_way_and_the_last_one_is_shown_until_its_time_is_over(flat_film, written):
    assert interpolated(flat_film([0, 20, 40]), written) == [0, 10, 20, 30, 40, 40]
    assert written.expected.rate_hz == 50.0


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_power_of_two_is_halved_again_and_again(flat_film, written, factor):
    found = interpolated(flat_film([0, 16, 72, 96]), written, factor=factor)
    line = [round(a + (b - a) * k / factor) for a, b in ((0, 16), (16, 72), (72, 96)) for k in range(factor)]
    assert found == pytest.approx([*line, *[96] * factor], abs=0.6)


def test_a_network_that_makes_thirds_is_asked_once_a_frame(flat_film, written):
    thirds = Instants((0, 3), (1, 2))
    make = Between((1 / 3, 2 / 3))
    assert interpolated(flat_film([0, 30]), written, make, thirds) == [0, 10, 20, 30, 30, 30]


def test_a_factor_that_is_no_power_is_approached(flat_film, written):
    found = interpolated(flat_film([0, 48]), written, factor=3)
    # On a grid of sixteenths: 5/16 and 11/16 for 1/3 and 2/3.
    assert found == [0, 15, 33, 48, 48, 48]


def test_any_time_is_asked_for_as_it_is(flat_film, written):
    any_time = Instants((0, 2), (1,), any_time=True)
    found = interpolated(flat_film([0, 50, 100]), written, instants=any_time, factor=5)
    assert found == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100, 100, 100, 100]


@pytest.mark.parametrize(("fps", "count"), [(60.0, 24), (25.0, 10), (12.5, 5), (30.0, 12), (1.0, 1)])
def test_frames_a_second_may_be_any_number_and_the_length_is_kept(flat_film, written, fps, count):
    any_time = Instants((0, 2), (1,), any_time=True)
    film = flat_film([10 * number for number in range(10)])
    found = interpolated(film, written, instants=any_time, fps=fps)
    assert found == pytest.approx([min(number * 25 / fps * 10, 90) for number in range(count)], abs=0.6)
    assert written.expected.rate_hz == pytest.approx(fps)


def test_television_s_rates_are_thousand_and_first_parts(flat_film, written):
    film = flat_film([0, 20, 40], rate=30000 / 1001)
    assert interpolated(film, written, fps=59.94) == [0, 10, 20, 30, 40, 40]
    assert Fraction(written.expected.rate_hz).limit_denominator(1001) == Fraction(60000, 1001)


def test_at_a_cut_the_frame_before_it_is_shown_again(flat_film, written):
    make = Between()
    assert interpolated(flat_film([0, 20, 220, 240]), written, make) == [0, 10, 20, 20, 220, 230, 240, 240]
    assert [0, 20] in make.windows
    assert [20, 220] not in make.windows


def test_windows_of_four_lie_around_the_gap_and_stay_in_their_scene(flat_film, written):
    make = Between((0.5, 1.5, 2.5))
    film = flat_film([10, 20, 30, 40, 50, 200, 210, 220])
    found = interpolated(film, written, make, FOUR)
    assert found == [10, 15, 20, 25, 30, 35, 40, 45, 50, 50, 200, 205, 210, 215, 220, 220]
    # At the ends the gap at the side, whose window has four real frames; of three, one is played again.
    assert make.windows == [
        [10, 20, 30, 40], [10, 20, 30, 40], [20, 30, 40, 50], [20, 30, 40, 50],
        [200, 200, 210, 220], [200, 210, 220, 220],
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=14), st.sampled_from([2, 3, 4, 8]), st.sampled_from([TWO, FOUR]),
)  # fmt: skip
def test_a_line_stays_a_line_whatever_the_scenes(film_of, new_sink, cuts, factor, instants):
    """Each scene goes up by 8 a frame, so that what is made of wrong neighbours is seen."""
    light, drawn = 0, []
    for place, cut in enumerate(cuts):
        light ^= cut
        drawn.append(8 * place + 130 * light)
    frames = torch.tensor(drawn, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 8, 8)
    sink = new_sink()
    make = Between((0.5,) if instants is TWO else (0.5, 1.5, 2.5))
    found = interpolated(film_of(frames), sink, make, instants, factor=factor)
    assert len(found) == factor * len(drawn)
    for place, value in enumerate(drawn):
        follows = place + 1 < len(drawn) and abs(drawn[place + 1] - value) < 64
        for part in range(factor):
            wanted = value + 8 * part / factor * follows
            assert found[place * factor + part] == pytest.approx(wanted, abs=1.2)


def test_frames_a_second_need_a_film_that_has_some(flat_film, written):
    with pytest.raises(
        UsageError, match="does not say how many frames a second it has, so fps means nothing; give fac"
    ):
        interpolated(flat_film([0, 10], rate=None), written, fps=50)


def test_every_frame_of_the_film_is_read_once(noise_film, written):
    for film, go in (
        (noise_film(40), lambda film: upscaled(film, written, Enlarged(scale=1))),
        (noise_film(40), lambda film: predict_file(
            film, Line(), written, past=clip(3, 3), future=2, options=PredictFilmOptions())),
    ):  # fmt: skip
        written.chunks, written.expected = [], None
        go(film)
        assert film.places == list(range(40))


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_films_go_through(flat_film, new_sink, frames):
    film = flat_film([10, 20][:frames])
    sink = new_sink()
    upscaled(film, sink, Enlarged(scale=1))
    assert values(sink) == [10, 20][:frames]
    assert len(interpolated(film, new_sink())) == 2 * frames
    assert len(predicted(film, new_sink(), Line())) == frames + 2


class Endless:
    """A film that is drawn frame by frame, and forgotten."""

    def __init__(self, length: int, height: int = 96, width: int = 160) -> None:
        self.length = length
        self.format = SampleFormat(axes=AXES, shape=(None, 3, height, width), value_range=(0.0, 255.0), rate_hz=25.0)

    def read(self, start, count):
        count = min(count, self.length - start)
        return (torch.arange(start, start + count)[:, None, None, None] % 64).to(torch.uint8).expand(
            count, *self.format.shape[1:]
        ).clone()  # fmt: skip

    def close(self) -> None: ...


class Measured:
    """A sink that forgets, and asks how much memory the process has at the middle and at the end."""

    def __init__(self) -> None:
        self.frames = 0
        self.memory: list[int] = []

    def expect(self, format) -> None: ...

    def write(self, chunk) -> None:
        self.frames += len(chunk)
        if self.frames % 100 == 0:
            self.memory.append(resident_bytes())

    def close(self) -> None: ...


def resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("task", ["predict", "interpolate", "upscale"])
def test_memory_does_not_grow_with_the_length_of_a_film(task):
    """1,200 frames of 46 kB: 55 MB if they stayed, four times that of larger ones."""
    film, sink = Endless(1200), Measured()
    if task == "predict":
        predict_file(film, Line(), sink, past=clip(3, 3), future=2, options=PredictFilmOptions())
    elif task == "interpolate":
        make = Between((0.5, 1.5, 2.5))
        interpolate_file(
            film, make, sink, kept=clip(4, 3), instants=FOUR, options=InterpolateFilmOptions(factor=2)
        )  # fmt: skip
    else:
        upscale_file(film, Enlarged(), sink, low=clip(3, 3), made=3, scale=2, options=FilmOptions())
    assert sink.frames >= 1200
    settled = sink.memory[2:]
    assert max(settled) - settled[0] < 8 * 2**20, f"grew by {(max(settled) - settled[0]) / 2**20:.1f} MB"


def test_factor_and_fps_are_not_both_given():
    with pytest.raises(ValueError, match="give one of them"):
        InterpolateFilmOptions(factor=2, fps=30)
