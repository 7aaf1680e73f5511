"""Databases and shards that are damaged, or scanned."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wganx_image.configs.datasets import SUFFIXES, LsunConfig
from wganx_image.datasets.lsun import open_lsun
from wganx_image.datasets.pictures import probe
from wganx_image.datasets.webdataset import list_webdataset

from wganx import DataContext, DataError
from wganx.data import scan


def picture(number: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="looked at in a child")
def test_a_database_that_would_end_the_process_is_refused(tmp_path: Path) -> None:
    lmdb = pytest.importorskip("lmdb")
    folder = tmp_path / "bedroom_train_lmdb"
    environment = lmdb.open(str(folder), map_size=1 << 22)
    with environment.begin(write=True) as transaction:
        for number in range(8):
            transaction.put(f"{number:040x}".encode(), picture(number))
    environment.close()
    config = LsunConfig(root=tmp_path, size=16)
    os.truncate(folder / "data.mdb", 3 * 4096 + 100)
    with pytest.raises(DataError, match=r"bedroom_train_lmdb is a damaged LMDB database: .* unpack it again"):
        open_lsun(config, "train", DataContext())


def test_shards_are_scanned(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for number in range(3):
            content = picture(number) if number < 2 else b"nothing"
            member = tarfile.TarInfo(f"{number:03}.png")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    report = scan(tmp_path, SUFFIXES, probe, listing=list_webdataset(tmp_path))
    assert report.properties["size"] == {"64x64": 2}
    assert list(report.unreadable) == ["a.tar/002.png"]
