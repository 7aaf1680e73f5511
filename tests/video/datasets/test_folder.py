"""One's own films: what is found in a folder, what they are brought to, and what is said when they are not right."""

from __future__ import annotations

import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from wganx_video.datasets.film_items import MOST_OPEN

from tests.video.datasets.conftest import film, write_array, write_frames, write_gif
from wganx import ConfigError, DataContext, DataError
from wganx.cli import main
from wganx.data import scan, window_index


def numbers(clip_TCHW: torch.Tensor) -> list[int]:
    return clip_TCHW[:, 0, 0, 0].tolist()


@pytest.fixture
def root(tmp_path):
    """Three films in three forms, each of 24 frames of 32 x 24 px."""
    write_array(tmp_path / "a.npy", film(24, seed=0))
    write_frames(tmp_path / "b", film(24, seed=1), "frame{}.png")
    write_frames(tmp_path / "c/deeper", film(24, seed=2), "{}.bmp")
    return tmp_path


def both(opened, root, **options):
    train, heldout = opened("folder", root, **options)
    return {path: items for items in (train, heldout) for path in items.paths}, train, heldout


def test_files_folders_of_frames_and_arrays_are_films_and_split_by_film(root, opened):
    films, train, heldout = both(opened, root)
    assert set(films) == {"a.npy", "b", "c/deeper"}
    assert not set(train.paths) & set(heldout.paths)
    assert len(train) + len(heldout) == 9
    for items in (train, heldout):
        for index in range(len(items)):
            begin = (0, 10, 14)[items.place(index)[1]]
            assert numbers(items[index]["sample"]) == list(range(begin, begin + 10)), (
                "the last ends where the film does"
            )
    assert train.formats["sample"].shape == (10, 3, 24, 32)
    assert train.details[1] == "a clip is 10 frames, 32 x 24 px: as they are"


def test_frames_come_in_natural_order_whatever_the_zeros(tmp_path, opened):
    for name in ("one", "two"):
        write_frames(tmp_path / name, film(12), "img{}.png")
    train, _ = opened("folder", tmp_path, frames=12)
    assert numbers(train[0]["sample"]) == list(range(12))


@pytest.mark.parametrize(
    ("options", "begins", "step"),
    [
        ({"frames": 4, "every": 2}, [0, 7, 14, 17], 2),
        ({"frames": 8, "overlap": 0.5}, [0, 4, 8, 12, 16], 1),
        ({"frames": 6, "windows": "first"}, [0], 1),
        ({"frames": 1}, list(range(24)), 1),
    ],
)
def test_clips_of_a_film(root, opened, options, begins, step):
    films, *_ = both(opened, root, **options)
    items = films["b"]
    mine = [items[index]["sample"] for index in range(len(items)) if items.place(index)[0] == "b"]
    assert [numbers(clip)[0] for clip in mine] == begins
    assert all(set(np.diff(numbers(clip))) <= {step} for clip in mine)


def test_a_flat_folder_of_pictures_is_one_film_of_which_the_end_is_held_out(tmp_path, opened):
    write_frames(tmp_path, film(40), "{}.png")
    train, heldout = opened("folder", tmp_path, frames=5)
    assert train.paths == heldout.paths == (".",)
    seen = [
        {number for index in range(len(items)) for number in numbers(items[index]["sample"])}
        for items in (train, heldout)
    ]
    assert seen == [set(range(35)), set(range(35, 40))]
    assert train.layout.how == "from its end, 12% of it"


def test_folders_train_and_test_are_the_splits(tmp_path, opened):
    for name in ("train/x", "train/y", "test/z"):
        write_frames(tmp_path / name, film())
    train, heldout = opened("folder", tmp_path)
    assert (train.paths, heldout.paths) == (("train/x", "train/y"), ("test/z",))


def test_class_folders_are_labels_where_that_is_asked_for(tmp_path, opened):
    for number, name in enumerate(("run/x", "run/y", "walk/x", "walk/y")):
        write_frames(tmp_path / name, film(seed=number))
    train, _ = opened("folder", tmp_path)
    assert set(train.formats) == {"sample"}
    train, _ = opened("folder", tmp_path, labels=True)
    assert train.formats["label"].classes == ("run", "walk")
    assert {int(train[i]["label"]) for i in range(len(train)) if train.place(i)[0].startswith("walk")} == {1}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_is_as_the_folder(root, tmp_path_factory, opened, compression):
    archive = tmp_path_factory.mktemp("packed") / "films.zip"
    with zipfile.ZipFile(archive, "w", compression) as packed:
        for path in sorted(root.rglob("*.*")):
            packed.write(path, path.relative_to(root))
    for of_folder, of_archive in zip(opened("folder", root), opened("folder", archive)):
        assert of_folder.paths == of_archive.paths
        for index in range(len(of_folder)):
            assert torch.equal(of_folder[index]["sample"], of_archive[index]["sample"])


def test_pictures_beside_films_and_single_ones_are_no_films(tmp_path, opened):
    for name in "xyz":
        write_gif(tmp_path / f"{name}.gif")
        Image.new("L", (8, 8)).save(tmp_path / f"{name}.png")
    (tmp_path / "cover").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "cover/front.jpg")
    train, heldout = opened("folder", tmp_path)
    assert {*train.paths, *heldout.paths} == {"x.gif", "y.gif", "z.gif"}
    assert (train.tree.skipped[".png"], train.tree.skipped[".jpg"]) == (3, 1)


def test_moving_webp_are_films_and_still_ones_frames(tmp_path, opened):
    for name in "xy":
        pictures = [Image.new("RGB", (16, 16), (20 * n, 0, 0)) for n in range(10)]
        pictures[0].save(tmp_path / f"{name}.webp", save_all=True, append_images=pictures[1:], lossless=True)
    write_frames(tmp_path / "still", film(10, 16, 16), "{}.webp")
    train, heldout = opened("folder", tmp_path)
    assert {*train.paths, *heldout.paths} == {"x.webp", "y.webp", "still"}


# What they are brought to


@pytest.mark.parametrize(
    ("sizes", "wanted", "told"),
    [
        ([(30, 50)], (30, 50), "as they are"),
        ([(144, 256)], (64, 112), "the largest middle part of that shape, resized by antialiased bicubic"),
        ([(30, 50), (50, 30)], (64, 64), "the largest middle part of that shape, resized by antialiased bicubic"),
        ([(30, 40), (60, 80)], (64, 84), "the largest middle part of that shape, resized by antialiased bicubic"),
    ],
)
def test_one_size_for_all_and_that_it_is_said(tmp_path, opened, sizes, wanted, told):
    for number in range(4):
        write_array(tmp_path / f"{number}.npy", film(10, *sizes[number % len(sizes)]))
    train, heldout = opened("folder", tmp_path)
    assert train.formats["sample"].shape[2:] == wanted
    assert {tuple(items[i]["sample"].shape[2:]) for items in (train, heldout) for i in range(len(items))} == {wanted}
    assert train.details[1].endswith(told)
    if max(sizes[0]) > 128:
        assert "frames of up to 256 x 144 px are brought to 112 x 64; set dataset.size=[144,256]" in train.remarks[0]


def _half(height: int, width: int) -> np.ndarray:
    """Black above, white below, in all frames."""
    film_THWC = np.zeros((2, height, width, 1), np.uint8)
    film_THWC[:, height // 2 :] = 255
    return film_THWC


@pytest.mark.parametrize(("fit", "rows"), [("crop", 8), ("stretch", 8), ("pad", 4)])
def test_fits(tmp_path, opened, fit, rows):
    for name in "xy":
        write_array(tmp_path / f"{name}.npy", _half(32, 64))
    train, _ = opened("folder", tmp_path, frames=2, size=16, fit=fit)
    column = train[0]["sample"][0, 0, :, 8]
    assert (column > 127).sum() == rows
    assert column[12 if fit == "pad" else 15] == (0 if fit == "pad" else 255)


def test_parts_as_they_are_lie_elsewhere_for_each_clip(tmp_path, opened):
    stored = film(40, 40, 60)
    for name in "xy":
        write_array(tmp_path / f"{name}.npy", stored)
    train, _ = opened("folder", tmp_path, frames=2, size=(16, 24), fit="cut")
    again, _ = opened("folder", tmp_path, frames=2, size=(16, 24), fit="cut")
    windows = np.lib.stride_tricks.sliding_window_view(stored[0].transpose(2, 0, 1), (3, 16, 24))[0]
    first = train[0]["sample"]
    assert torch.equal(first, again[0]["sample"])
    assert (windows == first[0].numpy()).all((2, 3, 4)).any(), "a part of the first frame"
    with pytest.raises(DataError, match=r"60 x 40 px, and parts of 60 x 44 are to be cut out"):
        opened("folder", tmp_path, frames=2, size=(44, 60), fit="cut")[0][0]


@pytest.mark.parametrize(("channels", "wanted"), [(1, 3), (3, 1), (4, 3), (2, 1), (3, 4), (2, 4)])
def test_channels(tmp_path, opened, channels, wanted):
    stored = np.full((10, 8, 8, channels), 100, np.uint8)
    if channels in (2, 4):
        stored[..., -1] = 255
        stored[:, 0, 0, -1] = 0
    for name in "xy":
        write_array(tmp_path / f"{name}.npy", stored)
    sample = opened("folder", tmp_path, channels=wanted)[0][0]["sample"]
    assert sample.shape == (10, wanted, 8, 8)
    assert (sample[:, 0, 1:] == 100).all()
    if channels in (2, 4) and wanted in (1, 3):
        assert (sample[:, :, 0, 0] == 255).all(), "what is transparent is white"


def test_any_number_of_channels_stays_as_it_is(tmp_path, opened):
    for number in range(3):
        write_array(tmp_path / f"{number}.npy", film(10, 16, 16, 5, seed=number))
    write_array(tmp_path / "other.npy", film(10, 16, 16, 7))
    with pytest.raises(DataError, match=r"has 7 channels, and 5 are wanted; leave it out, or set dataset.channels=7"):
        _ = [items[index] for items in opened("folder", tmp_path) for index in range(len(items))]
    (tmp_path / "other.npy").unlink()
    assert opened("folder", tmp_path)[0][0]["sample"].shape == (10, 5, 16, 16)


def test_radar_of_floating_point_is_brought_to_bytes_by_the_extremes_or_as_said(tmp_path, opened):
    for number in range(3):
        values = np.linspace(-30.0, 70.0, 10 * 16 * 16).reshape(10, 16, 16, 1)
        write_array(tmp_path / f"{number}.npy", values)
    sample = opened("folder", tmp_path)[0][0]["sample"]
    assert (int(sample.min()), int(sample.max())) == (0, 255)
    said = opened("folder", tmp_path, value_range=(0, 140))[0][0]["sample"]
    assert (int(said.min()), int(said.max())) == (0, 128)


def test_what_was_fitted_holds_when_films_are_added(root, catalog):
    folder = catalog.dataset("folder")
    config = folder.config(root=root)
    context = DataContext(fitted=folder.factory("fit")(config, DataContext()))
    for number in range(9):
        write_array(root / f"wide{number}.npy", film(24, 40, 90))
    assert folder.factory("open")(config, "train", context)[0]["sample"].shape == (10, 3, 24, 32)
    assert folder.factory("open")(config, "train", DataContext())[0]["sample"].shape != (10, 3, 24, 32)


def test_films_of_several_rates(tmp_path, opened):
    for rate in (10, 20, 25):
        pictures = [Image.new("L", (8, 8), 4 * n) for n in range(2 * rate)]
        pictures[0].save(tmp_path / f"{rate}.gif", save_all=True, append_images=pictures[1:], duration=1000 // rate)
    train, _ = opened("folder", tmp_path)
    assert "films have 10 to 25 frames a second" in " ".join(train.remarks)
    films, train, _ = both(opened, tmp_path, rate=10)
    assert train.formats["sample"].rate_hz == 10
    for rate, step in ((10, 4), (20, 8), (25, 10)):
        items = films[f"{rate}.gif"]
        index = next(index for index in range(len(items)) if items.place(index)[0] == f"{rate}.gif")
        differences = np.diff(numbers(items[index]["sample"]))
        assert abs(differences - step).max() <= 4
        assert abs(differences.mean() - step) < 1
    with pytest.raises(DataError, match=r"has 10 frames a second, and 20 are wanted; lower dataset.rate"):
        opened("folder", tmp_path, rate=20)


def test_clips_in_which_nothing_moves_and_cuts_are_left_out_where_that_is_asked_for(tmp_path, opened):
    still, moving = np.full((10, 16, 16, 1), 90, np.uint8), np.zeros((10, 16, 16, 1), np.uint8)
    for number in range(10):
        moving[number, :, number : number + 4] = 60
    for name in "xy":
        write_array(tmp_path / f"{name}.npy", np.concatenate([still, moving, 255 - moving]))
    whole = opened("folder", tmp_path, frames=5)[0]
    assert len(whole) == 6
    without = opened("folder", tmp_path, frames=5, still="skip")[0]
    assert len(without) == 4
    of_one_scene = opened("folder", tmp_path, frames=6, overlap=0.5, still="skip", cuts="skip")[0]
    for index in range(len(of_one_scene)):
        clip = of_one_scene[index]["sample"].float().mean((1, 2, 3))
        assert (clip.max() - clip.min()) < 64


def test_nothing_that_moves_is_said(tmp_path, opened):
    for name in "xy":
        write_array(tmp_path / f"{name}.npy", np.full((10, 16, 16, 1), 90, np.uint8))
    with pytest.raises(DataError, match=r"has no clip without a cut in which something moves"):
        opened("folder", tmp_path, still="skip")


# Pairs


def test_folders_high_and_low_are_pairs(tmp_path, opened):
    for number in range(3):
        small = film(10, 12, 16, seed=number)
        write_array(tmp_path / f"low/{number}.npy", small)
        write_array(tmp_path / f"high/{number}.npy", small.repeat(2, 1).repeat(2, 2))
    with pytest.raises(ConfigError, match=r"holds pairs in its folders high and low.*set dataset.fit=cut"):
        opened("folder", tmp_path)
    train, heldout = opened("folder", tmp_path, fit="cut", size=16)
    assert (len(train), len(heldout)) == (2, 1)
    for item in (train[0], train[1], heldout[0]):
        assert item["sample"].shape == (10, 3, 16, 16)
        assert torch.equal(item["sample"][..., ::2, ::2], item["low"])
    (tmp_path / train.paths[0].replace("high", "low")).unlink()
    with pytest.raises(DataError, match=r"the smaller twin of high/"):
        opened("folder", tmp_path, fit="cut")


@pytest.mark.parametrize(("high", "low"), [("HR", "LR"), ("gt", "lq"), ("GT", "low")])
def test_folders_of_pairs_have_other_names_too(tmp_path, opened, high, low):
    for name in ("train/x", "val/y"):
        small = film(10, 12, 16)
        write_frames(tmp_path / low / name, small)
        write_frames(tmp_path / high / name, small.repeat(4, 1).repeat(4, 2))
    train, heldout = opened("folder", tmp_path, fit="cut")
    assert (train.paths, heldout.paths) == ((f"{high}/train/x",), (f"{high}/val/y",))
    assert torch.equal(train[0]["sample"][..., ::4, ::4], train[0]["low"])


def test_pairs_of_different_lengths_are_named(tmp_path, opened):
    for name in "xy":
        write_array(tmp_path / f"high/{name}.npy", film(20, 24, 32))
        write_array(tmp_path / f"low/{name}.npy", film(19, 12, 16))
    train, _ = opened("folder", tmp_path, fit="cut")
    with pytest.raises(DataError, match=r"low/..npy has 19 frames and high/..npy 20, so they are no pair"):
        train[0]


def test_pairs_that_are_none_are_told(tmp_path, opened):
    for number in range(2):
        write_array(tmp_path / f"low/{number}.npy", film(10, 12, 16))
        write_array(tmp_path / f"high/{number}.npy", film(10, 30, 50))
    with pytest.raises(
        DataError, match=r"low/\d.npy is 16 x 12 px, and high/\d.npy 50 x 30: not a whole number of times"
    ):
        opened("folder", tmp_path, fit="cut")


# What is not right


def test_films_that_cannot_be_read_are_named_and_left_out_up_to_5_percent(tmp_path, opened, caplog):
    for number in range(20):
        write_array(tmp_path / f"{number:02d}.npy", film(seed=number))
    (tmp_path / "empty.mp4").write_bytes(b"")
    train, heldout = opened("folder", tmp_path)
    assert len(train) + len(heldout) == 40
    assert "empty.mp4: no readable film: it is empty; copy it again, or leave it out" in caplog.text
    (tmp_path / "sound.avi").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    caplog.clear()
    with pytest.raises(DataError, match=r"2 of 22 files .* have no window(?s:.*)sound.avi: .*holds sound"):
        opened("folder", tmp_path)


def test_films_that_are_too_short_are_told_how_long_they_are(tmp_path, opened):
    for name in "xy":
        write_array(tmp_path / f"{name}.npy", film(7))
    with pytest.raises(DataError, match=r"has 7 frames, and a clip takes 10; lower dataset.frames or dataset.every"):
        opened("folder", tmp_path)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "is empty; put files ending in"),
        (["notes.txt"], "holds no file ending in"),
        (["UCF101.rar"], r"1 .rar \(unpack it\)"),
        (["one.png"], "each of its pictures lies by itself, and a film of pictures has two or more in one folder"),
    ],
)
def test_a_folder_without_films(tmp_path, opened, files, said):
    for name in files:
        Image.new("L", (8, 8)).save(tmp_path / name, "PNG")
    with pytest.raises(DataError, match=said):
        opened("folder", tmp_path)


def test_frames_of_several_sizes_are_named(tmp_path, opened):
    for name in "xy":
        write_frames(tmp_path / name, film(10))
        write_frames(tmp_path / name, film(1, 20, 20), "00000005.png")
    train, _ = opened("folder", tmp_path)
    with pytest.raises(
        DataError, match=r"00000005.png is 20x20 with 3 channels, and the first frame of . is 32x24 with 3"
    ):
        train[0]


def test_frames_with_a_hole_in_their_names_are_still_a_film(tmp_path, opened):
    for name in "xy":
        write_frames(tmp_path / name, film(12))
        (tmp_path / name / "00000003.png").unlink()
    assert numbers(opened("folder", tmp_path)[0][0]["sample"]) == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]


# How they are read


def write_film(path: Path, frames: int, seconds: float = 1.0, gop: int = 250) -> None:
    """An H.264 of grey frames, each twice as bright in steps as its number."""
    av = pytest.importorskip("av", reason="needs the extra video")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(frames / seconds), options={"g": str(gop), "crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for number in range(frames):
            picture_HWC = np.full((32, 32, 3), 2 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture_HWC, format="rgb24")))
        container.mux(stream.encode())


def test_films_of_h264_give_their_very_frames_in_any_order(tmp_path, opened):
    for name in "xyz":
        write_film(tmp_path / f"{name}.mp4", 100)
    train, _ = opened("folder", tmp_path, frames=8, every=3)
    assert train.formats["sample"].rate_hz == pytest.approx(100 / 3)
    for index in torch.randperm(len(train), generator=torch.Generator().manual_seed(0)).tolist():
        window = train.place(index)[1]
        begin = min(22 * window, 78)
        shown = [round(float(frame.float().mean()) / 2) for frame in train[index]["sample"]]
        assert np.abs(np.array(shown) - np.arange(begin, begin + 24, 3)[:8]).max() <= 1


def test_a_film_is_decoded_once_for_all_of_its_clips_in_a_row(tmp_path, opened, monkeypatch):
    from wganx_video.video.decoding import Decoder

    write_film(tmp_path / "long.mp4", 120)
    train, _ = opened("folder", tmp_path, frames=4)
    decoded = []
    decode = Decoder.decode

    def noted(self, packet, number):
        decoded.append(number)
        return decode(self, packet, number)

    monkeypatch.setattr(Decoder, "decode", noted)
    for index in range(len(train)):
        train[index]
    assert len(decoded) < 2 * 120


def test_clips_are_read_in_any_order_and_by_workers(root, opened):
    train, _ = opened("folder", root, frames=3)
    wanted = [train[index]["sample"] for index in range(len(train))]
    copy = pickle.loads(pickle.dumps(train))
    for index in torch.randperm(len(train), generator=torch.Generator().manual_seed(0)).tolist():
        assert torch.equal(copy[index]["sample"], wanted[index])


def test_no_more_films_stay_open_than_are_read_at_once(tmp_path, opened):
    for number in range(MOST_OPEN + 20):
        write_gif(tmp_path / f"{number}.gif")
    train, _ = opened("folder", tmp_path, frames=5)
    for index in range(len(train)):
        train[index]
    assert len(train._films._free) == MOST_OPEN


def test_windows_are_counted_once_and_kept(tmp_path, opened, monkeypatch):
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("wganx.data.window_index.WORTH_SECONDS", 0.0)
    films = tmp_path / "films"
    for number in range(4):
        write_gif(films / f"{number}.gif")
    first, _ = opened("folder", films)
    assert len(list((tmp_path / "cache/windows").iterdir())) == 2
    counted = []
    count = window_index._count

    def noted(tree, paths, windows):
        counted.extend(paths)
        return count(tree, paths, windows)

    monkeypatch.setattr("wganx.data.window_index._count", noted)
    again, _ = opened("folder", films, size=8)  # another size has no say in it
    assert not counted
    assert len(again) == len(first)
    shutil.copy(films / "0.gif", films / "9.gif")
    train, heldout = opened("folder", films)
    assert len(train) + len(heldout) == 5
    assert "9.gif" in counted


def test_a_scan_counts_films_and_not_frames(root, catalog):
    folder = catalog.dataset("folder")
    listing = folder.factory("listing")(root)
    report = scan(root, folder.suffixes, folder.factory("probe"), listing=listing)
    assert (report.files, report.unreadable) == (3, {})
    assert report.how == "by the hash of each path"
    assert report.properties["frames"] == {"16 to 31": 3}
    assert report.properties["size"] == {"32x24": 3}


def test_a_scan_shows_class_folders_and_what_of_the_folders_may_not_be_meant(tmp_path, catalog):
    for name in ("run/x", "run/y", "walk/x", "walk/y"):
        write_frames(tmp_path / name, film(2))
    (tmp_path / "jump").mkdir()
    folder = catalog.dataset("folder")
    report = scan(tmp_path, folder.suffixes, folder.factory("probe"), listing=folder.factory("listing")(tmp_path))
    assert set(report.classes) == {"run", "walk"}
    assert "jump" in " ".join(report.remarks)


def test_a_scan_of_pairs_looks_at_both_and_names_what_is_missing(tmp_path, catalog):
    for number in range(3):
        write_array(tmp_path / f"low/{number}.npy", film(10, 12, 16, seed=number))
        write_array(tmp_path / f"high/{number}.npy", film(10, 24, 32, seed=number))
    folder = catalog.dataset("folder")
    report = scan(tmp_path, folder.suffixes, folder.factory("probe"), listing=folder.factory("listing")(tmp_path))
    assert (report.files, sum(report.splits.values()), report.beside, report.outside) == (6, 3, 3, 0)
    assert report.properties["size"] == {"32x24": 3, "16x12": 3}
    told = CliRunner().invoke(main, ["data", "scan", str(tmp_path), "--plugin=video"]).output
    assert "; 3 are read beside these" in told
    assert "neither split" not in told
    (tmp_path / "low" / "1.npy").unlink()
    report = scan(tmp_path, folder.suffixes, folder.factory("probe"), listing=folder.factory("listing")(tmp_path))
    assert list(report.unreadable) == ["low/1.npy"]


def test_a_single_film_can_be_scanned(tmp_path, catalog):
    write_frames(tmp_path, film(12))
    folder = catalog.dataset("folder")
    report = scan(tmp_path, folder.suffixes, folder.factory("probe"), listing=folder.factory("listing")(tmp_path))
    assert (report.files, report.splits) == (1, {"train": 1, "heldout": 0})
