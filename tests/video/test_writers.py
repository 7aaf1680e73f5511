"""Films that people look at: files that play, and previews that say what is what."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from wganx_video.configs.tasks import InterpolateConfig, PredictConfig, UpscaleConfig
from wganx_video.tasks.interpolate import Interpolate
from wganx_video.tasks.predict import Predict
from wganx_video.tasks.upscale import Upscale
from wganx_video.timeline import timeline_of
from wganx_video.writers import MOVING, preview_clips, write_clips

from wganx import Batch, Formats, SampleFormat

GAMES = {
    "predict": (Predict, PredictConfig(past=3, future=4), 7),
    "interpolate": (Interpolate, InterpolateConfig(kept=(0, 2, 4)), 5),
    "any-time": (Interpolate, InterpolateConfig(kept=(0, 4), time="any"), 5),
    "upscale": (Upscale, UpscaleConfig(frames=3), 3),
    "upscale-middle": (Upscale, UpscaleConfig(frames=3, output="middle"), 3),
}


def played(name, channels=1, size=16, rows=2):
    """A game, a batch of it, and samples that are a little darker than the truth."""
    build, config, frames = GAMES[name]
    shape = (frames, channels, size, size)
    stored = SampleFormat(
        axes=("frame", "channel", "height", "width"), shape=shape, value_range=(0.0, 255.0), rate_hz=5.0
    )
    game = build(config, Formats({"sample": stored}))
    films = torch.randint(64, 256, (rows, *shape), generator=torch.Generator().manual_seed(0)).byte()
    batch = game.batch({"sample": films}, torch.Generator().manual_seed(0), training=False)
    return game, batch, batch.real * 0.5


def moments(path):
    with Image.open(path) as clip:
        clip.load()  # it says how long a frame lasts when it has been read
        return getattr(clip, "n_frames", 1), clip.size, clip.info.get("duration")


def without_av(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)


class TestTimeline:
    @pytest.mark.parametrize(
        ("name", "made"),
        [
            ("predict", [False] * 3 + [True] * 4),
            ("interpolate", [False, True, False, True, False]),
            ("any-time", [False, True, False]),
            ("upscale", [True] * 3),
            ("upscale-middle", [True]),
        ],
    )
    def test_where_made_frames_stand(self, name, made):
        game, batch, _ = played(name)
        line = timeline_of(batch, game.sample, batch.real.shape[1])
        assert line.is_made() == made
        assert line.whole(batch.real).shape[1] == len(made)

    def test_given_and_made_frames_are_the_film_again(self):
        for name in ("predict", "interpolate"):
            build, config, frames = GAMES[name]
            shape = (frames, 1, 16, 16)
            stored = SampleFormat(axes=("frame", "channel", "height", "width"), shape=shape, value_range=(0.0, 255.0))
            game = build(config, Formats({"sample": stored}))
            films = torch.arange(frames).view(1, -1, 1, 1, 1).expand(1, *shape).byte() * 10
            batch = game.batch({"sample": films}, torch.Generator(), training=False)
            whole = timeline_of(batch, game.sample, batch.real.shape[1]).whole(batch.real)
            assert (whole * 255).round().byte().equal(films)

    def test_what_the_format_does_not_tell_stands_alone(self):
        game, batch, made = played("predict")
        line = timeline_of(batch, game.sample, 2)  # of another number of frames than it says
        assert (line.given, line.places) == (None, [0, 1])
        assert timeline_of(Batch(made), game.sample, 4).whole(made) is made


class TestFiles:
    def test_a_film_a_sample_that_plays(self, tmp_path):
        av = pytest.importorskip("av")
        game, batch, _ = played("predict", channels=3)
        paths = write_clips(batch, game.sample, tmp_path, "sample")
        assert [path.name for path in paths] == ["sample-0000.mp4", "sample-0001.mp4"]
        with av.open(str(paths[0])) as film:
            stream = film.streams.video[0]
            assert (stream.width, stream.height, stream.average_rate) == (16, 16, 5)
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
            assert "Synthetic" in film.metadata["comment"]
        assert len(frames) == 4

    @pytest.mark.parametrize("size", [15, 16])
    def test_films_keep_their_size_and_nearly_their_values(self, tmp_path, size):
        av = pytest.importorskip("av")
        game, batch, _ = played("predict", size=size)
        smooth = batch.with_real(torch.linspace(0, 1, size).expand_as(batch.real))
        path, *_ = write_clips(smooth, game.sample, tmp_path, "sample")
        with av.open(str(path)) as film:
            frames = np.stack([frame.to_ndarray(format="gray") for frame in film.decode(video=0)])
        assert frames.shape == (4, size, size)
        assert np.abs(frames / 255 - smooth.real[0, :, 0].numpy()).mean() < 0.03

    def test_without_pyav_the_same_frames_in_webp(self, tmp_path, monkeypatch):
        without_av(monkeypatch)
        game, batch, _ = played("predict", channels=3)
        rising = torch.linspace(0.4, 1, 4).view(4, 1, 1, 1) * torch.linspace(0, 1, 16)
        smooth = batch.with_real(rising.expand_as(batch.real))
        path, *_ = write_clips(smooth, game.sample, tmp_path, "sample")
        assert path.name == "sample-0000.webp"
        assert moments(path) == (4, (16, 16), 200)
        with Image.open(path) as film:
            film.seek(3)
            seen = torch.from_numpy(np.array(film.convert("RGB"))).permute(2, 0, 1) / 255
        assert (seen - smooth.real[0, 3]).abs().mean() < 0.03

    def test_a_single_frame_is_a_picture_and_other_channels_are_numbers(self, tmp_path):
        game, batch, _ = played("upscale-middle")
        (path, _) = write_clips(batch, game.sample, tmp_path, "one")
        assert path.name == "one-0000.png"
        game, batch, _ = played("predict", channels=5)
        (path, _) = write_clips(batch, game.sample, tmp_path, "radar")
        stored = np.load(path)
        assert (path.name, stored.dtype, stored.shape) == ("radar-0000.npy", np.uint8, (4, 5, 16, 16))

    def test_four_channels_keep_their_alpha(self, tmp_path):
        game, batch, _ = played("predict", channels=4)
        (path, _) = write_clips(batch, game.sample, tmp_path, "clear")
        with Image.open(path) as film:
            assert (path.suffix, film.mode, film.n_frames) == (".webp", "RGBA", 4)


class TestPreviews:
    @pytest.mark.parametrize("channels", [1, 3, 2])
    @pytest.mark.parametrize("name", GAMES)
    def test_every_game_has_a_sheet_and_clips(self, tmp_path, name, channels):
        game, batch, made = played(name, channels)
        found = preview_clips(made, batch, game.sample, tmp_path, "step-000010")
        assert found.picture.dtype == torch.uint8
        assert found.picture.shape[0] == 3
        frames = len(timeline_of(batch, game.sample, made.shape[1]).places)
        expected = [] if frames == 1 else ["step-000010-0000.webp", "step-000010-0001.webp"]
        assert [path.name for path in found.files] == expected
        for path in found.files:
            count, _, duration = moments(path)
            assert (count, duration) == (frames, 200)

    def test_sides_are_truth_made_and_difference(self, tmp_path):
        game, batch, made = played("predict")
        whole, *_ = preview_clips(made, batch, game.sample, tmp_path, "step").files
        alone, *_ = preview_clips(batch.real, batch, game.sample, tmp_path, "real").files
        assert moments(whole)[1][0] == pytest.approx(3 * moments(alone)[1][0], abs=12)
        with Image.open(whole) as clip:
            clip.seek(6)
            blue = sum(b > r + 20 for r, _, b in clip.convert("RGB").get_flattened_data())
        assert blue > 1000  # all of it is darker than the truth

    def test_real_films_are_shown_alone_and_nothing_is_compared(self, tmp_path):
        game, batch, made = played("predict")
        real = preview_clips(batch.real, batch, game.sample, tmp_path, "real").picture
        compared = preview_clips(made, batch, game.sample, tmp_path, "step").picture
        assert real.shape[1] < compared.shape[1]
        assert not ((real[2].int() - real[0].int()) > 100).any()  # no blue of differences, nor of their legend

    def test_without_the_data_there_is_no_truth(self, tmp_path):
        """As samples are drawn from a moved run folder, or for the nearest of the training items."""
        game, batch, made = played("predict")
        empty = Batch(batch.real[:0], {name: rows[:0] for name, rows in batch.context.items()})
        found = preview_clips(made, empty, game.sample, tmp_path, "grid")
        assert len(found.files) == 2

    def test_all_are_on_the_sheet_and_the_first_ones_move(self, tmp_path):
        game, batch, made = played("predict", rows=9)
        found = preview_clips(made, batch, game.sample, tmp_path, "step")
        assert len(found.files) == MOVING

    def test_long_films_are_thinned_out_on_the_sheet_and_whole_in_clips(self, tmp_path):
        shape = (40, 1, 16, 16)
        format = SampleFormat(axes=("frame", "channel", "height", "width"), shape=shape, value_range=(0.0, 1.0))
        films = torch.rand(1, *shape)
        found = preview_clips(films, Batch(films), format, tmp_path, "real")
        assert found.picture.shape[2] < 700
        assert moments(found.files[0])[0] == 40
