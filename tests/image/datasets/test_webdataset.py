"""Tar shards: patterns, samples found without unpacking, labels beside them, what is damaged."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from wganx_image.configs.datasets import FolderConfig, WebDatasetConfig
from wganx_image.datasets.folder import open_folder
from wganx_image.datasets.shards import ShardTree, expanded, shards_at
from wganx_image.datasets.webdataset import list_webdataset, open_webdataset

from wganx import DataContext, DataError
from wganx.data import FileItems, PackedItems, packed

SPLITS: tuple[Literal["train", "heldout"], ...] = ("train", "heldout")
Write = Callable[..., Path]


@pytest.fixture
def write_shard(encoded: Callable[..., bytes]) -> Write:
    """``write_shard(path, {"000000": {"jpg": red, "cls": "3"}})``: numbers are pictures of so much red."""

    def write(path: Path, samples: Mapping[str, Mapping[str, object]], kind: int = tarfile.USTAR_FORMAT) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w", format=kind) as archive:
            for key, files in samples.items():
                for ending, value in files.items():
                    content = str(value).encode()
                    if isinstance(value, int):
                        content = encoded(Image.new("RGB", (20, 16), (value, 0, 0)), "PNG")
                    elif isinstance(value, bytes):
                        content = value
                    info = tarfile.TarInfo(f"{key}.{ending}")
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
        return path

    return write


def opened(root: Path | str, split: Literal["train", "heldout"] = "train", **options: object) -> FileItems:
    config = WebDatasetConfig.model_validate({"root": root, "size": 8, **options})
    items = open_webdataset(config, split, DataContext())
    assert isinstance(items, FileItems)
    return items


def reds(items: FileItems) -> list[int]:
    return [round(items[index]["sample"][0].float().mean().item()) for index in range(len(items))]


def shard_of(numbers: range, **more: Callable[[int], object]) -> dict[str, dict[str, object]]:
    return {f"{number:06d}": {"png": number, **{end: make(number) for end, make in more.items()}} for number in numbers}


class TestShards:
    @pytest.mark.parametrize(
        ("pattern", "names"),
        [
            ("a.tar", ["a.tar"]),
            ("a-{08..10}.tar", ["a-08.tar", "a-09.tar", "a-10.tar"]),
            ("a-{2..0}", ["a-2", "a-1", "a-0"]),
            ("{x,y}/{0..1}", ["x/0", "x/1", "y/0", "y/1"]),
        ],
    )
    def test_braces(self, pattern: str, names: list[str]) -> None:
        assert expanded(pattern) == names

    @given(st.integers(0, 200), st.integers(0, 50), st.integers(1, 6))
    def test_a_range_has_its_zeros(self, first: int, more: int, digits: int) -> None:
        names = expanded(f"s{{{first:0{digits}d}..{first + more:0{digits}d}}}")
        assert [int(name[1:]) for name in names] == list(range(first, first + more + 1))
        assert all(len(name) >= digits + 1 for name in names)

    def test_a_folder_one_a_pattern_and_several(self, tmp_path: Path, write_shard: Write) -> None:
        for name in ("b/1.tar", "b/2.tar", "c.tar"):
            write_shard(tmp_path / name, shard_of(range(2)))
        found = {
            str(tmp_path): 3, f"{tmp_path}/b": 2, f"{tmp_path}/b/{{1..2}}.tar": 2, f"{tmp_path}/*.tar": 1,
            f"{tmp_path}/b/1.tar::{tmp_path}/c.tar": 2, f"{tmp_path}/c.tar::{tmp_path}": 3,
        }  # fmt: skip
        assert {pattern: len(shards_at(Path(pattern))) for pattern in found} == found

    def test_what_is_not_there_or_packed_is_refused(self, tmp_path: Path, write_shard: Write) -> None:
        write_shard(tmp_path / "a-0.tar", shard_of(range(2)))
        with pytest.raises(DataError, match=r"no shard at .*a-1\.tar; dataset\.root is a folder of \.tar files, one"):
            shards_at(tmp_path / "a-{0..1}.tar")
        for none in (tmp_path / "z*.tar", tmp_path / "empty"):
            (tmp_path / "empty").mkdir(exist_ok=True)
            with pytest.raises(DataError, match="no shard at"):
                shards_at(none)
        (tmp_path / "b.tar.gz").write_bytes(b"")
        with pytest.raises(DataError, match=r"b\.tar\.gz is packed, .* unpack it to a \.tar"):
            shards_at(tmp_path / "b.tar.gz")
        write_shard(tmp_path / "text.tar", {"0": {"txt": "no picture"}})
        with pytest.raises(DataError, match=r"text\.tar holds no pictures in 1 shard; members ending in \.bmp or"):
            ShardTree(tmp_path / "text.tar", (".bmp", ".png"))

    def test_names_stay_in_their_line(self, tmp_path: Path, write_shard: Write) -> None:
        said = "x\nwganx: all is well"
        shard = write_shard(tmp_path / f"{said}.tar", {said: {"png": 3, f"png.{said}": 4}, "1": {"png": 5}})
        tree = ShardTree(tmp_path, (".png",))
        shown = "x\\nwganx: all is well"
        assert tree.paths == (f"{shown}.tar/1.png", f"{shown}.tar/{shown}.png")
        assert len({tree.read(path) for path in tree.paths}) == 2
        shard.write_bytes(shard.read_bytes()[:1800])
        cut_short = ShardTree(tmp_path, (".png",)).cut_short
        assert cut_short.keys() == {f"{shown}.tar"}
        assert all(why.startswith(f"{shown}.tar ") and "\n" not in why for why in cut_short.values())

    @pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_long_names_and_other_letters(self, tmp_path: Path, write_shard: Write, kind: int) -> None:
        long = "x" * 90 if kind == tarfile.USTAR_FORMAT else "ü" * 120
        write_shard(tmp_path / "a.tar", {f"./in/{long}/0.1": {"png": 7}, f"in/{long}/1": {"SEG.PNG": 9}}, kind)
        tree = ShardTree(tmp_path / "a.tar", (".png",))
        assert tree.paths == (f"a.tar/in/{long}/0.1.png", f"a.tar/in/{long}/1.seg.png")
        assert all(tree.read(path)[:4] == b"\x89PNG" for path in tree.paths)

    def test_a_sample_is_what_shares_its_name_up_to_the_first_dot(self, tmp_path: Path, write_shard: Write) -> None:
        write_shard(tmp_path / "a.tar", {"d.x/0": {"png": 1, "cls": "2", "caption.txt": "red"}, "d.x/.1": {"png": 1}})
        tree = ShardTree(tmp_path / "a.tar", (".png",))
        assert {path: sorted(sample) for path, sample in tree.samples.items()} == {
            "a.tar/d.x/0.png": ["caption.txt", "cls", "png"]
        }


class TestWebdataset:
    def test_splits_and_classes(self, tmp_path: Path, write_shard: Write) -> None:
        write_shard(tmp_path / "train-0.tar", shard_of(range(3), cls=lambda number: str(number % 2)))
        write_shard(tmp_path / "train-1.tar", shard_of(range(3, 5), cls=lambda number: f"{number % 2}\n"))
        write_shard(tmp_path / "val-0.tar", shard_of(range(5, 7), cls=lambda number: str(number % 2)))
        train, heldout = (opened(tmp_path, split) for split in SPLITS)
        assert (reds(train), reds(heldout)) == ([0, 1, 2, 3, 4], [5, 6])
        assert train.formats["label"].classes == ("0", "1")
        assert [train[index]["label"].item() for index in range(5)] == [0, 1, 0, 1, 0]
        assert train.layout.how == "as published"
        only = opened(tmp_path / "train-{0..1}.tar")
        assert only.layout.how == "by a hash"
        assert len(only) + len(opened(tmp_path / "train-{0..1}.tar", "heldout")) == 5

    def test_labels_of_the_json_and_the_text(self, tmp_path: Path, write_shard: Write) -> None:
        kinds = ["winter", "summer"]
        write_shard(
            tmp_path / "a.tar",
            shard_of(
                range(20),
                json=lambda number: json.dumps({"style": kinds[number % 2], "big": number > 9, "size": [1, 2]}),
                txt=lambda number: "even" if number % 2 == 0 else "odd",
            ),
        )
        items = opened(tmp_path / "a.tar", labels=["style", "txt", "big"])
        assert {key: format.classes for key, format in items.formats.items() if key != "sample"} == {
            "style": ("summer", "winter"), "txt": ("even", "odd"), "big": ("False", "True"),
        }  # fmt: skip
        for index, red in enumerate(reds(items)):
            item = items[index]
            assert (item["style"].item(), item["txt"].item(), item["big"].item()) == (1 - red % 2, red % 2, red > 9)
        assert list(opened(tmp_path / "a.tar").formats) == ["sample"]

    def test_a_label_that_is_not_there_is_named(self, tmp_path: Path, write_shard: Write) -> None:
        write_shard(tmp_path / "a.tar", shard_of(range(4), json=lambda number: '{"style": "x", "nested": {}}'))
        with pytest.raises(DataError, match=r"000000\.json has no 'colour' that is a word .*; it has: style"):
            opened(tmp_path, labels=["colour"])
        with pytest.raises(DataError, match=r"000000\.png has no \.cls beside it; dataset\.labels wants one for every"):
            opened(tmp_path, labels=["cls"])
        write_shard(tmp_path / "b.tar", shard_of(range(4), json=lambda number: "{style"))
        with pytest.raises(DataError, match=r"000000\.json is no JSON \(.*\); mend or remove it"):
            opened(tmp_path / "b.tar", labels=["style"])

    def test_pictures_whose_names_have_dots_are_not_lost_in_silence(self, tmp_path: Path, write_shard: Write) -> None:
        write_shard(tmp_path / "a.tar", {f"v1.0/{n}.{n + 5}": {"png": n} for n in (1, 2, 3)} | {"v1.0/1.9": {"png": 9}})
        items = opened(tmp_path)
        assert len(items.tree.paths) == 3
        assert items.remarks == (
            "1 of the pictures left out, a.tar/v1.0/1.9.png first: another has the same name up to its first dot, and "
            "a sample has one; where these are samples of their own, write their names without that dot",
        )

    def test_damaged_pictures_are_named_and_skipped(self, tmp_path: Path, write_shard: Write) -> None:
        samples = shard_of(range(60))
        samples["000030"]["png"] = b"no picture"
        write_shard(tmp_path / "a.tar", samples)
        items = [opened(tmp_path, split) for split in SPLITS]
        assert len([red for opened_ in items for red in reds(opened_)]) == 60
        reasons = {name: why for opened_ in items for name, why in opened_.unreadable.items()}
        assert list(reasons) == ["a.tar/000030.png"]
        assert reasons["a.tar/000030.png"].startswith("no readable picture")

    def test_too_many_damaged_ones_are_refused(self, tmp_path: Path, write_shard: Write) -> None:
        write_shard(tmp_path / "a.tar", {f"{n:02d}": {"png": b"?" if n % 5 == 0 else n} for n in range(40)})
        with pytest.raises(DataError, match=r"of 40 files in .* cannot be read, and at most 5% are skipped"):
            [reds(opened(tmp_path, split)) for split in SPLITS]

    def test_a_shard_that_was_cut_short_is_read_up_to_there_and_named(self, tmp_path: Path, write_shard: Write) -> None:
        shard = write_shard(tmp_path / "a.tar", shard_of(range(60)))
        whole = ShardTree(shard, (".png",))
        last = whole._picture[whole.paths[49]]
        shard.write_bytes(shard.read_bytes()[: last.begin + 20])
        items = opened(shard)
        assert items.remarks == ("a.tar ends in the middle of 000049.png; get it again",)
        assert len(items.tree.paths) == 50
        reasons = [
            why for split in SPLITS for item in [opened(shard, split)] if reds(item) for why in item.unreadable.values()
        ]
        assert reasons == ["the shard a.tar ends in the middle of it; get it again"]
        # Base 256 in the field of the size: no memory is taken for what is only promised.
        vast = tarfile.TarInfo("000000.png")
        vast.size = 2**60
        (tmp_path / "c.tar").write_bytes(vast.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
        with pytest.raises(DataError, match=r"the shard c\.tar ends in the middle of it; get it again"):
            ShardTree(tmp_path / "c.tar", (".png",)).read("c.tar/000000.png")
        (tmp_path / "b.tar").write_bytes(b"no archive" * 200)
        assert "b.tar is no tar archive that can be read to its end" in " ".join(opened(tmp_path).remarks)

    def test_it_travels_to_workers_is_packed_and_scanned(
        self, tmp_path: Path, write_shard: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))
        write_shard(tmp_path / "s" / "a.tar", shard_of(range(30), cls=lambda number: str(number % 3)))
        items = opened(tmp_path / "s")
        assert torch.equal(pickle.loads(pickle.dumps(items))[3]["sample"], items[3]["sample"])
        made, said = packed(items, "always")
        assert isinstance(made, PackedItems), said
        assert torch.equal(made[3]["label"], items[3]["label"])
        listing = list_webdataset(tmp_path / "s")
        assert {name: set(counts) for name, counts in listing.counts().items()} == {"label": {"0", "1", "2"}}

    def test_nothing_is_unpacked_or_read_whole(
        self, tmp_path: Path, write_shard: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ten megabytes of which the index reads the headers alone."""
        from wganx_image.datasets import shards

        write_shard(tmp_path / "a.tar", {f"{n}": {"png": n, "npy": b"\0" * 1_000_000} for n in range(10)})
        read = 0

        class Counted(io.FileIO):
            def read(self, size: int = -1) -> bytes:
                nonlocal read
                content = super().read(size)
                read += len(content)
                return content

        opening = tarfile.bltn_open
        monkeypatch.setattr(tarfile, "bltn_open", lambda path, mode: Counted(path, mode.rstrip("b")))
        shards._indexed.cache_clear()
        assert len(ShardTree(tmp_path, (".png",)).paths) == 10
        assert 0 < read < 50_000
        monkeypatch.setattr(tarfile, "bltn_open", opening)


def test_a_folder_of_shards_names_the_dataset_that_reads_them(tmp_path: Path, write_shard: Write) -> None:
    write_shard(tmp_path / "a.tar", shard_of(range(2)))
    with pytest.raises(DataError, match=r"1 \.tar \(shards of a WebDataset are read by --set dataset\.name=webdataset"):
        open_folder(FolderConfig(root=tmp_path), "train", DataContext())
