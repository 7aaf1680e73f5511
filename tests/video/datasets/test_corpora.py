"""Every data set in the layout it is published in, as a tiny tree; what is expected where when it is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
import torch
from wganx_video.configs.datasets import CORPORA, FILMS, FRAMES
from wganx_video.datasets.film_items import FilmItems
from wganx_video.video.frames import FRAME_SUFFIXES

from tests.video.datasets.conftest import film, write_frames, write_gif
from wganx import DataContext, DataError
from wganx.data import scan

Tree = Callable[[Iterable[str], Mapping[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes a data set: films of ten frames under any name (what is in them tells that they are GIFs), and lists."""

    def write(films: Iterable[str], lists: Mapping[str, str]) -> Path:
        for name in films:
            write_gif(tmp_path / name)
        for name, text in lists.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def actions(items: FilmItems) -> list[str]:
    classes = items.formats["action"].classes
    return [classes[int(items[index]["action"])] for index in range(len(items))]


def names(items: FilmItems) -> list[str]:
    return [path.rpartition("/")[2] for path in items.paths]


def test_kth_is_split_by_person(tree, opened):
    root = tree(
        [
            f"KTH/{what}/person{who:02d}_{what}_d1_uncomp.avi"
            for what in ("running", "boxing")
            for who in (1, 16, 17, 25)
        ],
        {},
    )
    train, heldout = opened("kth", root)
    assert [name[6:8] for name in names(train)] == ["01", "16", "01", "16"]
    assert [name[6:8] for name in names(heldout)] == ["17", "25", "17", "25"]
    assert actions(train) == ["boxing", "boxing", "running", "running"]
    only, _ = opened("kth", root, only=["running"])
    assert len(only) == 2
    assert "action" not in only.formats, "where all do the same, there is nothing to tell apart"


def test_kth_may_be_folders_of_frames(tmp_path, opened):
    for who in (3, 20):
        write_frames(tmp_path / f"walking/person{who:02d}_walking_d2", film(channels=1), "image-{:03d}_160x120.png")
    train, heldout = opened("kth", tmp_path)
    assert (train.paths, heldout.paths) == (("walking/person03_walking_d2",), ("walking/person20_walking_d2",))
    assert train[0]["sample"].shape == (10, 1, 24, 32)


_UCF = [
    f"UCF101/UCF-101/{what}/v_{what}_g{film:02d}_c0{clip}.avi"
    for what in ("Archery", "YoYo")
    for film in (1, 8, 9)
    for clip in (1, 2)
]


def _ucf_list(films: Iterable[int], *, index: bool) -> str:
    lines = [
        f"{what}/v_{what}_g{film:02d}_c0{clip}.avi" + (f" {number}" if index else "")
        for number, what in enumerate(("Archery", "YoYo"), 1)
        for film in films
        for clip in (1, 2)
    ]
    return "\r\n".join(lines) + "\r\n"


def test_ucf101_is_split_by_its_lists(tree, opened):
    lists = {
        "UCF101/ucfTrainTestlist/trainlist01.txt": _ucf_list((8, 9), index=True),
        "UCF101/ucfTrainTestlist/testlist01.txt": _ucf_list((1,), index=False),
        "UCF101/ucfTrainTestlist/trainlist02.txt": _ucf_list((1, 8), index=True),
        "UCF101/ucfTrainTestlist/testlist02.txt": _ucf_list((9,), index=False),
    }
    root = tree(_UCF, lists)
    train, heldout = opened("ucf101", root)
    assert {name.split("_")[2] for name in names(heldout)} == {"g01"}
    assert {name.split("_")[2] for name in names(train)} == {"g08", "g09"}
    assert train.layout.how == "as published"
    assert actions(heldout) == ["Archery", "Archery", "YoYo", "YoYo"]
    _, second = opened("ucf101", root, fold=2)
    assert {name.split("_")[2] for name in names(second)} == {"g09"}


def test_without_its_lists_ucf101_keeps_the_clips_of_a_film_together(tree, opened):
    train, heldout = opened("ucf101", tree(_UCF, {}))
    film_of = [{name.rpartition("_")[0] for name in names(items)} for items in (train, heldout)]
    assert not film_of[0] & film_of[1]
    assert train.layout.how == "by a hash"


def test_hmdb51_leaves_out_what_its_lists_do_not_use(tree, opened):
    root = tree(
        [f"HMDB51/wave/April_{n}_wave_u_nm_np1_ba_goo_0.avi" for n in range(3)]
        + [f"HMDB51/brush_hair/May_{n}_brush_hair_u_nm_np1_ba_goo_0.avi" for n in range(3)],
        {
            "HMDB51/testTrainMulti_7030_splits/wave_test_split1.txt": "".join(
                f"April_{n}_wave_u_nm_np1_ba_goo_0.avi {n} \n" for n in range(3)
            ),
            "HMDB51/testTrainMulti_7030_splits/brush_hair_test_split1.txt": "".join(
                f"May_{n}_brush_hair_u_nm_np1_ba_goo_0.avi {n} \n" for n in range(3)
            ),
        },
    )
    train, heldout = opened("hmdb51", root)
    assert [name[:6] for name in names(train)] == ["May_1_", "April_"]
    assert [name.split("_")[1] for name in names(heldout)] == ["2", "2"]
    assert actions(train) == ["brush_hair", "wave"]


def test_kinetics_in_class_folders(tree, opened):
    root = tree(
        [
            f"kinetics/{part}/{what}/{n}347ZoDXyP-_000095_000105.mp4"
            for part, n in (("train", 0), ("train", 1), ("val", 2))
            for what in ("air drumming", "zumba")
        ],
        {},
    )
    train, heldout = opened("kinetics", root)
    assert (len(train), len(heldout)) == (4, 2)
    assert actions(heldout) == ["air drumming", "zumba"]


def test_kinetics_with_its_tables(tree, opened):
    rows = [("zumba", "aaaaaaaaaaa"), ("air drumming", "bbbbbbbbbbb"), ("zumba", "ccccccccccc")]
    table = "label,youtube_id,time_start,time_end,split\n" + "".join(f"{what},{id},1,11,x\n" for what, id in rows)
    root = tree(
        [
            "k400/train/aaaaaaaaaaa_000001_000011.mp4",
            "k400/train/bbbbbbbbbbb_000001_000011.mp4",
            "k400/val/ccccccccccc_000001_000011.mp4",
            "k400/val/ddddddddddd_000001_000011.mp4",
        ],
        {"k400/annotations/train.csv": table},
    )
    train, heldout = opened("kinetics", root)
    assert actions(train) == ["zumba", "air drumming"]
    assert names(heldout) == ["ccccccccccc_000001_000011.mp4"], "what is done in the other was not published"


@pytest.mark.parametrize(("name", "frames", "lists"), [("vimeo-triplet", 3, "tri"), ("vimeo-septuplet", 7, "sep")])
def test_vimeo_is_split_by_its_lists(tmp_path, opened, name, frames, lists):
    root = tmp_path / name.replace("-", "_")
    for number, clip in enumerate(("00001/0001", "00001/0002", "00002/0001")):
        write_frames(root / "sequences" / clip, film(frames, seed=number), "im{}.png", first=1)
    (root / f"{lists}_trainlist.txt").write_text("00001/0001\n00002/0001\n\n")
    (root / f"{lists}_testlist.txt").write_text("00001/0002\n")
    train, heldout = opened(name, tmp_path)
    assert train.paths == ("sequences/00001/0001", "sequences/00002/0001")
    assert heldout.paths == ("sequences/00001/0002",)
    sample = heldout[0]["sample"]
    assert sample.shape == (frames, 3, 24, 32)
    assert sample[:, 0, 0, 0].tolist() == list(range(frames))
    assert "low" not in train.formats


@pytest.mark.parametrize(
    ("high", "low"),
    [("sequences", "BIx4"), ("GT", "BIx4"), ("sequences", "vimeo_septuplet_matlabLRx4/sequences")],
)
def test_vimeo_has_a_twin(tmp_path, opened, high, low):
    for clip in ("00001/0001", "00001/0002"):
        write_frames(tmp_path / high / clip, film(7, 32, 48), "im{}.png", first=1)
        write_frames(tmp_path / low / clip, film(7, 8, 12), "im{}.png", first=1)
    (tmp_path / "sep_trainlist.txt").write_text("00001/0001\n")
    (tmp_path / "sep_testlist.txt").write_text("00001/0002\n")
    train, heldout = opened("vimeo-septuplet", tmp_path)
    for items in (train, heldout):
        assert (len(items), items[0]["sample"].shape, items[0]["low"].shape) == (1, (7, 3, 32, 48), (7, 3, 8, 12))


def _reds(root: Path, part: str, clips: Iterable[str]) -> None:
    for clip in clips:
        small = film(10, 8, 12)
        write_frames(root / f"{part}_sharp" / clip, small.repeat(4, 1).repeat(4, 2))
        write_frames(root / f"{part}_sharp_bicubic/X4" / clip, small)


def test_reds_is_tried_on_four_clips_and_has_pairs(tmp_path, opened):
    _reds(tmp_path / "REDS", "train", ("000", "001", "011", "240"))
    _reds(tmp_path / "REDS", "val", ("000",))
    train, heldout = opened("reds", tmp_path)
    assert heldout.paths == ("train_sharp/000", "train_sharp/011")
    assert train.paths == ("train_sharp/001", "train_sharp/240", "val_sharp/000")
    for item in (train[0], train[2], heldout[1]):
        assert torch.equal(item["sample"][..., ::4, ::4], item["low"])


def test_reds_without_the_four_is_tried_on_what_is_for_validation(tmp_path, opened):
    _reds(tmp_path, "train", ("001", "002"))
    _reds(tmp_path, "val", ("000",))
    train, heldout = opened("reds", tmp_path)
    assert (len(train.paths), heldout.paths) == (2, ("val_sharp/000",))


def test_parts_of_pairs_are_those_of_each_other(tmp_path, opened):
    _reds(tmp_path, "train", ("000", "001"))
    train, _ = opened("reds", tmp_path, size=(16, 20), frames=2)
    assert len(train) == 5
    assert train[0]["sample"].shape == (2, 3, 16, 20)
    for index in range(len(train)):
        assert torch.equal(train[index]["sample"][..., ::4, ::4], train[index]["low"])
    assert len({bytes(train[index]["low"].numpy().tobytes()) for index in range(5)}) == 5


def test_vid4_and_middlebury_are_only_to_be_tried_on(tmp_path, catalog):
    for scene, (height, width) in {"calendar": (40, 48), "city": (32, 44)}.items():
        write_frames(tmp_path / "Vid4/GT" / scene, film(10, height, width))
        write_frames(tmp_path / "Vid4/BIx4" / scene, film(10, height // 4, width // 4))
    vid4 = catalog.dataset("vid4")
    config = vid4.config(root=tmp_path)
    items = vid4.factory("open")(config, "heldout", DataContext())
    assert items.paths == ("GT/calendar", "GT/city")
    assert items[0]["sample"].shape == (10, 3, 32, 44), "the largest part that all have"
    assert items[0]["low"].shape == (10, 3, 8, 11)
    with pytest.raises(DataError, match="nothing of Vid4 is to learn from: it is published to be tried on; train on"):
        vid4.factory("open")(config, "train", DataContext())


def test_middlebury_takes_the_frame_between_from_its_own_folder(tmp_path, catalog):
    for scene, height in (("Beanbags", 24), ("Walking", 28)):
        three = film(3, height, 32)
        write_frames(tmp_path / "other-data" / scene, three[::2], "frame1{}.png")
        write_frames(tmp_path / "other-data" / scene, film(2, height, 32, seed=1), "frame0{}.png", first=7)
        write_frames(tmp_path / "other-gt-interp" / scene, three[1:2], "frame10i11.png")
    write_frames(tmp_path / "other-data/Evergreen", film(2), "frame1{}.png")
    middlebury = catalog.dataset("middlebury")
    items = middlebury.factory("open")(middlebury.config(root=tmp_path), "heldout", DataContext())
    assert items.paths == ("Beanbags", "Walking")
    assert items[0]["sample"].shape == (3, 3, 24, 32)
    assert items[0]["sample"][:, 0, 0, 0].tolist() == [0, 1, 2]
    listing = middlebury.factory("listing")(tmp_path)
    assert (listing.layout.train, len(listing.layout.heldout)) == ((), 2)


@pytest.mark.parametrize("name", CORPORA)
def test_what_is_not_there_is_said_with_what_is_expected_where(tmp_path, catalog, name):
    dataset = catalog.dataset(name)
    other = tmp_path / "other"
    write_gif(other / "a_film.gif")
    write_gif(other / "another.gif")
    for root in (tmp_path / "nowhere", other):
        with pytest.raises(DataError, match=r"no .+ in .+: .+ is wanted there; get it from its own page, unpack it"):
            dataset.factory("open")(dataset.config(root=root), "heldout", DataContext())


def test_an_action_that_is_not_there_is_named(tree, opened):
    root = tree([f"running/person{who:02d}_running_d1_uncomp.avi" for who in (1, 20)], {})
    with pytest.raises(DataError, match=r"dataset.only names 'flying', and there are: running"):
        opened("kth", root, only=["flying"])


def test_a_scan_tells_splits_and_actions(tree, catalog):
    root = tree([f"{w}/person{n:02d}_{w}_d1_uncomp.avi" for w in ("running", "boxing") for n in (1, 20)], {})
    kth = catalog.dataset("kth")
    report = scan(root, kth.suffixes, kth.factory("probe"), listing=kth.factory("listing")(root))
    assert (report.splits, report.how) == ({"train": 2, "heldout": 2}, "as published")
    assert report.labels["action"]["boxing"] == {"train": 1, "heldout": 1}
    assert report.properties["size"] == {"24x16": 4}


def test_endings_of_frames_are_those_that_are_read():
    assert set(FRAMES) == set(FRAME_SUFFIXES)
    assert not set(FRAMES) & set(FILMS)
