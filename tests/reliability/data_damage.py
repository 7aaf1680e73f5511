"""What can be wrong with files and folders of data: each kind of damage, dealt by a random stream."""

from __future__ import annotations

import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path

Damage = Callable[[Path, random.Random], str]
"""Does it to a file or to a folder, and says what it did."""

_HOSTILE_NAMES = (
    "\x1b[31mred\x1b[0m", "two\nlines", "\x07bell", "caf\udce9", "..", "-rf", "--help", "a" * 250, "%s%n{0}",
    "nul\u202egnp",
    "[bold]markup[/]", "</script><script>alert(1)</script>", "con", " ", "a;b", "$(id)", "é", "e\u0301",
)  # fmt: skip


# Of any file.


def truncated(path: Path, rng: random.Random) -> str:
    length = path.stat().st_size
    left = rng.choice((0, 1, min(16, length), rng.randrange(length + 1), max(length - 1, 0)))
    os.truncate(path, left)
    return f"cut to {left} bytes"


def flipped(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    places = [rng.randrange(len(content)) for _ in range(rng.choice((1, 2, 8, 64)))]
    if rng.random() < 0.5:  # headers, where most goes wrong
        places = [place % 128 % len(content) for place in places]
    for place in places:
        content[place] = rng.choice((0, 255, 127, 128, rng.randrange(256), content[place] ^ 1 << rng.randrange(8)))
    path.write_bytes(content)
    return f"bytes {places[:8]} changed"


def large_numbers(path: Path, rng: random.Random) -> str:
    """Sizes and counts lie in the head of nearly every format."""
    content = bytearray(path.read_bytes())
    place = rng.randrange(min(len(content), 96) or 1)
    number = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\0\0\0\x80"))
    content[place : place + 4] = number
    path.write_bytes(content)
    return f"{number.hex()} at byte {place}"


def shuffled(path: Path, rng: random.Random) -> str:
    content = path.read_bytes()
    one, other = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    how = rng.choice(("doubled", "left out", "zeros", "noise"))
    middle = content[one:other]
    changed = {
        "doubled": middle * 2, "left out": b"", "zeros": bytes(len(middle)), "noise": rng.randbytes(len(middle)),
    }[how]  # fmt: skip
    path.write_bytes(content[:one] + changed + content[other:])
    return f"bytes {one} to {other} {how}"


def of_another_kind(path: Path, rng: random.Random) -> str:
    content = rng.choice((
        b"", b"\0" * 4096, b"<!doctype html><title>404</title>", b"version https://git-lfs.github.com/spec/v1\n",
        b"PK\x05\x06" + bytes(18), b"\x80\x04cos\nsystem\n(S'touch /wganx-was-executed'\ntR.",
        b"\x1f\x8b\x08" + bytes(32),
        b"RIFF\xff\xff\xff\xffWAVEfmt ", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"#EXTM3U\n/etc/passwd\n",
        b"\xff\xfe1\0,\0002\0",
        b"ffconcat version 1.0\nfile /etc/passwd\n", rng.randbytes(512),
    ))  # fmt: skip
    path.write_bytes(content)
    return f"holds {content[:16]!r}"


ANY_FILE: tuple[Damage, ...] = (truncated, flipped, flipped, large_numbers, shuffled, of_another_kind)


# Of files of one ending.


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(path: Path, rng: random.Random) -> str:
    width, height = rng.choice(
        ((60_000, 60_000), (2**31 - 1, 1), (1, 2**31 - 1), (13_000, 13_000), (0, 5), (30_000, 1))
    )
    depth, colour = rng.choice(((8, 2), (16, 6), (1, 0), (8, 3), (16, 0), (3, 7)))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, rng.choice((0, 0, 1)))
    if (bomb := rng.choice(("", "", "zTXt", "iCCP"))) != "":
        text = _chunk(bomb.encode(), b"x\0\0" + zeros(256))
    else:
        text = b""
    pixels = _chunk(b"IDAT", zeros(rng.choice((1, 512))))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + text + pixels + _chunk(b"IEND", b""))
    return f"PNG of {width} x {height}, depth {depth}, colour {colour}, {bomb or 'no'} bomb"


def jpeg(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    start = content.find(b"\xff\xc0")
    size = rng.choice((65_535, 0, 40_000))
    content[start + 5 : start + 9] = struct.pack(">HH", size, size)
    path.write_bytes(content)
    return f"JPEG of {size} x {size}"


def gif(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    content[6:10] = struct.pack("<HH", *rng.choice(((65_535, 65_535), (0, 0), (1, 65_535))))
    path.write_bytes(content)
    return "GIF with another canvas"


def wav(path: Path, rng: random.Random) -> str:
    kind, channels, rate, bits, length = rng.choice((
        (1, 1, 8000, 16, 2**32 - 2), (1, 65_535, 8000, 16, 4096), (1, 0, 8000, 16, 4096), (1, 1, 0, 16, 4096),
        (1, 1, 2**31, 16, 4096), (1, 1, 1, 16, 4096), (3, 1, 8000, 32, 4096), (1, 1, 8000, 0, 4096),
        (1, 256, 384_000, 32, 2**31),
        (17, 1, 8000, 4, 4096), (0xFFFE, 1, 8000, 16, 4096), (1, 1, 8000, 16, 0), (1, 1, 8000, 16, 1),
    ))  # fmt: skip
    if rng.random() < 0.2:  # as in libsndfile/libsndfile#1118
        back = struct.pack("<I", 2**32 - rng.choice((8, 12, 16, 20)))
        noted = b"LIST" + struct.pack("<I", 28) + rng.choice((b"INFO", b"adtl")) + b"zzzz" + back + bytes(16)
        content = path.read_bytes()
        path.write_bytes(content[:12] + noted + content[12:])
        return f"WAV with a note of length {back.hex()}"
    block = channels * bits // 8 & 0xFFFF
    head = struct.pack("<HHIIHH", kind, channels, rate, rate * block & 0xFFFFFFFF, block, bits)
    values = b"\0\0\xc0\x7f" * 1024 if kind == 3 else rng.randbytes(4096)
    riff = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", length) + values
    path.write_bytes(b"RIFF" + struct.pack("<I", min(length + 36, 2**32 - 1)) + riff)
    return f"WAV of kind {kind}, {channels} channels, {rate} Hz, {bits} bit, {length} bytes"


def flac(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    content[18:26] = rng.choice((b"\xff" * 8, bytes(8), b"\x0a\xc4\x42\xff\xff\xff\xff\xff"))
    path.write_bytes(content)
    return "FLAC with another rate, width and length"


def npy(path: Path, rng: random.Random) -> str:
    kind = rng.choice((
        "'<f4'", "'<f16'", "'<f2'", "'<c8'", "'|O'", "'|V1'", "'<U10'", "'<M8[s]'", "'|b1'", "'<i8'", "'float8_e4m3fn'",
        "[('a', '<f4'), ('b', '|O')]", "('<f4', (2,))", "'>f8'", "'<u8'", "''", "None", "'<f4096'", "'|V2147483647'",
    ))  # fmt: skip
    shape = rng.choice((
        "(20, 2)", "(1000000000000, 2)", "(2, 1000000000000)", "(-1, 2)", "(0, 2)", "(20,)", "()", "(1, 1, 1, 1, 1)",
        "(20, 0)", "'a'", "(9223372036854775807, 9223372036854775807)", "(" * 200 + ")" * 200, "(1e3, 2)", "(40000, 1)",
        "(12, 16, 16)", "(0, 16, 16)", "(12, 16, 16, 3)", "(" + "9" * 5000 + ",)", "(True, 2)",
    ))  # fmt: skip
    order = rng.choice(("False", "False", "True", "1"))
    text = f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}"
    text += " " * rng.choice((0, 0, 20_000)) + "\n"
    version = rng.choice(((1, 0), (2, 0), (3, 0), (9, 9)))
    width = "<H" if version == (1, 0) else "<I"
    length = rng.choice((len(text), len(text), len(text), 0, 65_535))
    values = rng.choice((bytes(4096), b"\0\0\xc0\x7f" * 1024, rng.randbytes(4096), b""))
    path.write_bytes(b"\x93NUMPY" + bytes(version) + struct.pack(width, length) + text.encode() + values)
    return f"npy {version} of {kind} {shape[:40]} order {order}, head {length} of {len(text)}"


def npz(path: Path, rng: random.Random) -> str:
    return zip_bomb(path, rng) if rng.random() < 0.3 else zip_header(path, rng)


def csv(path: Path, rng: random.Random) -> str:
    def wide() -> bytes:
        return b",".join([b"1"] * 1_000_000) + b"\n"

    name, content = rng.choice((
        ("a million columns", wide), ("a quote that is never closed", lambda: b'x,y\n"1,2\n' + b"1,2\n" * 200_000),
        ("a NUL", lambda: b"x,y\n1,2\n1\0,2\n"), ("UTF-16", lambda: "x,y\n1,2\n3,4\n".encode("utf-16")),
        ("Latin-1", lambda: "größe,y\n1,2\n".encode("latin-1")), ("one line of 20 MB", lambda: b"1" * 20_000_000),
        ("infinite numbers", lambda: b"1e999,2\n1,nan\n"), ("lines of one sign", lambda: b"1\n" * 100_000),
        ("a million digits", lambda: b"1" * 1_000_000 + b",2\n3,4\n"), ("old Mac ends", lambda: b"1,2\r3,4\r5,6\r"),
        ("only a header", lambda: b"path,speaker\n"), ("no rows", lambda: b"\n\n\n"),
        ("other separators", lambda: b"1 2\n3 4\n"),
        ("a path that leads out", lambda: b"path,speaker\n../../etc/passwd,a\n/etc/passwd,b\n"),
        ("a path with a sign", lambda: b"path,speaker\n\x1b[31m.wav,a\n0.wav,b\n1.wav,b\n"),
        ("a cell of 200 kB", lambda: b"path,speaker\n0.wav," + b"a" * 200_000 + b"\n1.wav,b\n2.wav,b\n"),
    ))  # fmt: skip
    path.write_bytes(content())
    return f"CSV with {name}"


def safetensors(path: Path, rng: random.Random) -> str:
    head = rng.choice((b"{}", b'{"a":{"dtype":"F32","shape":[1000000000000,2],"data_offsets":[0,8]}}', b"{" * 1000))
    length = rng.choice((len(head), 2**63, 2**40))
    path.write_bytes(struct.pack("<Q", length) + head + bytes(8))
    return f"safetensors with a head of {length} bytes"


def tar(path: Path, rng: random.Random) -> str:
    name, change = rng.choice((
        ("a size of 2^60 bytes", {"size": 2**60}), ("a link out", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("a pipe", {"type": tarfile.FIFOTYPE}), ("a device", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}),
        ("a name that leads out", {"name": "../../outside.png"}), ("an absolute name", {"name": "/wganx-was-here.png"}),
        ("a name with a sign", {"name": "\x1b[31m.png"}), ("a long name", {"name": "a" * 5000 + ".png"}),
        ("a bad sum", {}), ("a sparse file", {"type": tarfile.GNUTYPE_SPARSE}),
        ("a negative time", {"mtime": -(2**40)}),
    ))  # fmt: skip
    member = tarfile.TarInfo("888.png")
    for key, value in change.items():
        setattr(member, key, value)
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    if not change:
        head[150:156] = rng.randbytes(6)
    content = path.read_bytes()
    place = rng.choice((0, content.find(b"003.png")))
    path.write_bytes(content[: max(place, 0)] + head + content[max(place, 0) :])
    return f"tar with {name} at {place}"


@cache
def zeros(megabytes: int) -> bytes:
    """So many of them, deflated in a moment: a block that ends at a whole byte is repeated."""
    deflating = zlib.compressobj(9)
    head = deflating.compress(bytes(1 << 20)) + deflating.flush(zlib.Z_FULL_FLUSH)
    block = deflating.compress(bytes(1 << 20)) + deflating.flush(zlib.Z_FULL_FLUSH)
    return head + block * (megabytes - 1) + deflating.flush()


def zip_bomb(path: Path, rng: random.Random) -> str:
    """One more file of 6 GB, of which the directory says the truth or not."""
    size, told = 6 << 30, rng.choice((6 << 30, 6 << 30, 1000, 6_000_000))
    name = rng.choice(("bomb.npy", "bomb.csv", "bomb.png", "bomb.wav", "bomb.npz", "bomb.mp4", "frames.npy"))
    packed = zeros(size >> 20)[2:]
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo(name)
        entry.compress_type, entry.compress_size, entry.file_size = zipfile.ZIP_DEFLATED, len(packed), told
        entry.header_offset, entry.CRC = archive.start_dir, 0
        assert archive.fp is not None
        archive.fp.seek(archive.start_dir)
        archive.fp.write(entry.FileHeader(zip64=True))
        archive.fp.write(packed)
        archive.start_dir = archive.fp.tell()
        archive.filelist.append(entry)
        archive.NameToInfo[name] = entry
        archive._didModify = True  # type: ignore[attr-defined]
    return f"zip with {name} of {size:,} bytes, told to be {told:,}"


def zip_header(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    places = [place for place in range(len(content) - 4) if content[place : place + 4] == b"PK\x01\x02"]
    if not places:
        return flipped(path, rng)
    central = rng.choice(places)
    local = struct.unpack("<I", content[central + 42 : central + 46])[0]
    name, offset, value = rng.choice((
        ("encrypted", 8, b"\x01\x00"), ("strongly encrypted", 8, b"\x41\x00"), ("another compression", 10, b"\x63\x00"),
        ("LZMA", 10, b"\x0e\x00"), ("no compression", 10, b"\0\0"), ("another checksum", 16, b"\x12\x34\x56\x78"),
        ("a packed size of 4 GB", 20, b"\xfe\xff\xff\xff"), ("a size of 4 GB", 24, b"\xfe\xff\xff\xff"),
        ("no size", 24, b"\0\0\0\0"),
        ("another place", 42, b"\xfe\xff\xff\x7f"), ("a newer version", 6, b"\xff\x00"),
        ("a name of another length", 28, b"\xff\xff"),
        ("a link", 38, b"\0\0\xff\xa1"), ("flags of all kinds", 8, b"\xff\xff"),
    ))  # fmt: skip
    content[central + offset : central + offset + len(value)] = value
    if offset < 28 and rng.random() < 0.7 and content[local : local + 4] == b"PK\x03\x04":
        content[local + offset - 2 : local + offset - 2 + len(value)] = value
    path.write_bytes(content)
    return f"zip with {name}"


def zip_names(path: Path, rng: random.Random) -> str:
    name = rng.choice(("../../outside", "/wganx-was-here", "..\\..\\outside", "C:\\outside", *_HOSTILE_NAMES))
    with zipfile.ZipFile(path, "a") as archive, suppress(UnicodeError):
        for other in archive.namelist()[:1]:
            archive.writestr(name + Path(other).suffix, archive.read(other))
    return f"zip with the name {name!r}"


OF_ENDING: Mapping[str, tuple[Damage, ...]] = {
    ".png": (png,), ".jpg": (jpeg,), ".gif": (gif,), ".wav": (wav,), ".flac": (flac,), ".npy": (npy, npy),
    ".npz": (npz,),
    ".csv": (csv,), ".tar": (tar,), ".zip": (zip_header, zip_bomb, zip_names), ".safetensors": (safetensors,),
}  # fmt: skip
"""Beside what is done to any file."""


# Of folders, beside their files.


def _a_file(folder: Path, rng: random.Random) -> Path:
    return rng.choice(sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()))


def _beside(path: Path, name: str) -> Path:
    """Of that name and the ending of `path`, or where there is one already, of the next."""
    names = (f"{name}{number or ''}{path.suffix}" for number in count())
    return next(place for place in map(path.with_name, names) if not os.path.lexists(place))


def pipe(folder: Path, rng: random.Random) -> str:
    """In place of a file, or beside it."""
    path = _a_file(folder, rng)
    if rng.random() < 0.5:
        path.unlink()
    else:
        path = _beside(path, "pipe")
    os.mkfifo(path)
    return f"{path.name} is a pipe"


def device(folder: Path, rng: random.Random) -> str:
    path = _a_file(folder, rng)
    leads = rng.choice(("/dev/zero", "/dev/full", "/dev/stdin", "/dev/random", "/proc/self/mem", "/proc/self/environ"))
    path = _beside(path, "device")
    path.symlink_to(leads)
    return f"{path.name} leads to {leads}"


def loop(folder: Path, rng: random.Random) -> str:
    leads = rng.choice((".", "..", "../..", "loop", "/", str(folder.parent)))
    below = rng.choice([folder, *(path for path in folder.rglob("*") if path.is_dir())])
    _beside(below / "loop", "loop").symlink_to(leads, target_is_directory=True)
    return f"a link to {leads}"


def dead_link(folder: Path, rng: random.Random) -> str:
    path = _a_file(folder, rng)
    _beside(path, "dead").symlink_to("nowhere")
    return "a dead link"


def strange_name(folder: Path, rng: random.Random) -> str:
    path, name = _a_file(folder, rng), rng.choice(_HOSTILE_NAMES).replace("/", "|")
    with suppress(OSError):
        path.rename(path.with_name(f"{name[: 255 - len(path.suffix)]}{path.suffix}"))
    return f"a file named {name!r}"


def strange_folder(folder: Path, rng: random.Random) -> str:
    path, name = _a_file(folder, rng), rng.choice(_HOSTILE_NAMES).replace("/", "|")
    with suppress(OSError, ValueError):  # ".." is there already, and no name
        path.with_name(name).mkdir()
        path.rename(path.with_name(name) / path.name)
    return f"a folder named {name!r}"


def folder_for_file(folder: Path, rng: random.Random) -> str:
    path = _a_file(folder, rng)
    path.unlink()
    path.mkdir()
    return f"{path.name} is a folder"


def vanished(folder: Path, rng: random.Random) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    left = rng.choice((0, 1, len(paths) - 1))
    for path in paths[left:]:
        path.unlink()
    return f"{left} of {len(paths)} files are left"


def deep(folder: Path, rng: random.Random) -> str:
    path = _a_file(folder, rng)
    below = folder.joinpath(*["d"] * 400)
    below.mkdir(parents=True, exist_ok=True)
    path.rename(below / path.name)
    return "a file 400 folders deep"


def split_folders(folder: Path, rng: random.Random) -> str:
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        split = folder / rng.choice(("train", "test", "train", "val"))
        split.mkdir(exist_ok=True)
        path.rename(split / path.name)
    return "files in train and test"


OF_FOLDER: tuple[Damage, ...] = (
    pipe, device, loop, dead_link, strange_name, strange_folder, folder_for_file, vanished, deep, split_folders,
)  # fmt: skip
