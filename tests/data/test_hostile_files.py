"""Archives and folders that nobody packed with good intent, or that change under who reads them."""

import os
import struct
import sys
import zipfile

import numpy as np
import pytest

from wganx.data import FileTree, array_header, read_array, scan
from wganx.data.limits import check_memory
from wganx.errors import DataError

DAMAGES = [
    (8, b"\x01\x00", "is encrypted; unpack the archive, and give the folder"),
    (10, b"\x63\x00", "is packed in a way that is not known here"),
    (16, b"\x12\x34\x56\x78", "is damaged in the archive"),
]
"""Where in an entry of the directory, what is written there, what is said of it."""


@pytest.fixture
def archive(tmp_path):
    """An archive of one file, packed."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.bin", b"abc" * 100)
    return path


def change(path, offset, value):
    """In the directory and before the file, which are to agree."""
    content = bytearray(path.read_bytes())
    for start, before in ((content.find(b"PK\x01\x02"), 0), (content.find(b"PK\x03\x04"), 2)):
        content[start + offset - before : start + offset - before + len(value)] = value
    path.write_bytes(content)


@pytest.mark.parametrize(("offset", "value", "message"), DAMAGES)
def test_damage_of_an_archive_is_told_by_file(archive, offset, value, message):
    change(archive, offset, value)
    tree = FileTree(archive, (".bin",))
    with pytest.raises(DataError, match=f"^a.bin {message}"):
        tree.read("a.bin")


@pytest.mark.parametrize(
    ("size", "message"),
    [(2**32 - 2, "would unpack from 0.0 MB to 4.3 GB, .* as nothing but a trap does"), (2, "damaged in the archive")],
)
def test_no_byte_of_a_bomb_is_unpacked(archive, size, message):
    change(archive, 24, struct.pack("<I", size))
    with pytest.raises(DataError, match=message):
        FileTree(archive, (".bin",)).read("a.bin")


def test_what_memory_has_no_room_for_is_not_read(monkeypatch):
    monkeypatch.setattr("wganx.data.limits.available_memory", lambda: 10**9)
    check_memory(4 * 10**8, "a.csv")
    with pytest.raises(DataError, match=r"a.csv holds 0.6 GB, .* 1.0 GB of memory are free; leave it out"):
        check_memory(6 * 10**8, "a.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")
def test_a_link_that_leads_up_ends_there(tmp_path, caplog):
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "beside.bin").write_bytes(b"secret")
    (root / "a.bin").write_bytes(b"a")
    (root / "up").symlink_to("..")
    (root / "top").symlink_to("/")
    assert FileTree(root, (".bin",)).paths == ("a.bin",)
    assert caplog.text.count("above the folder itself; nothing is read there") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")
@pytest.mark.parametrize("change", ["grows", "shrinks", "vanishes", "becomes a pipe"])
def test_a_file_that_changes_is_named(tmp_path, change):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abcd")
    tree = FileTree(tmp_path, (".bin",))
    path.unlink()
    if change == "becomes a pipe":
        os.mkfifo(path)
    elif change != "vanishes":
        path.write_bytes(b"abcdef" if change == "grows" else b"a")
    for read in (tree.read, tree.open):
        with pytest.raises((DataError, OSError), match=r"a\.bin|No such file|a pipe or a device"):
            read("a.bin")


def test_a_scan_names_it_too(archive):
    change(archive, 16, b"\0\0\0\0")
    report = scan(archive, (".bin",), lambda file, name: {})
    assert report.unreadable["a.bin"].startswith("damaged in the archive (Bad CRC-32")


def npy(tmp_path, description, shape, values=b""):
    text = f"{{'descr': {description}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values)
    return path


@pytest.mark.parametrize(
    ("description", "shape", "message"),
    [
        ("'<f4'", "(1000000000000, 2)", "is cut short: 8,000,000,000,000 bytes .* are promised"),
        ("'<f16'", "(2,)", "(holds float128 values, and numbers of at most 64 bit|cannot be read)"),
        ("'|O'", "(2,)", "holds object values"),
        ("[('a', '<f4')]", "(2,)", "holds .* values, and numbers"),
        ("'float8_e4m3fn'", "(2,)", "cannot be read as an array of numbers"),
        ("'<f4'", "(-1, 2)", "cannot be read as an array of numbers: its shape"),
        ("'<f4'", "(True, 2)", "cannot be read as an array of numbers: its shape"),
        ("'<f4'", "(" * 300 + ")" * 300, "cannot be read as an array of numbers"),
        ("None", "'a'", "cannot be read as an array of numbers"),
    ],
)
def test_headings_of_arrays_are_held_against_the_file(tmp_path, description, shape, message):
    path = npy(tmp_path, description, shape, bytes(16))
    with path.open("rb") as file, pytest.raises(DataError, match=f"^a.npy {message}"):
        read_array(file, "a.npy", path.stat().st_size)


def test_arrays_come_back(tmp_path):
    for values in (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.zeros((0, 3), "u1")):
        np.save(tmp_path / "a.npy", values)
        with (tmp_path / "a.npy").open("rb") as file:
            np.testing.assert_array_equal(read_array(file, "a", (tmp_path / "a.npy").stat().st_size), values)
            file.seek(0)
            heading = array_header(file, "a")
        assert (heading.shape, heading.dtype, heading.bytes) == (values.shape, values.dtype, values.nbytes)
