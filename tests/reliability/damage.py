"""What a stranger, or bad luck, does to the files of a folder: one small change each, drawn from a seeded stream."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import load_file, save_file

HTML = "<script>document.title='x'</script><img src=x onerror=alert(1)>"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\u202e\u2028\x9b31m"
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 10**30, -(10**30), 1e308, float("nan"), float("inf"), -float("inf"), 0.5, "", "x",
    "-1", "/dev/zero", "/", "../../..", "\x00", HTML, ESCAPES, "x" * 100_000, [], {}, [None], [[]], {"": None},
    {"name": {}}, [1, 2, 3], [0], [-5], [10**12], ["x"], [{"name": "x"}], {"x": [{}]}, "2020-01-01",
    "é\ud800", [[[[[[[[]]]]]]]],
)  # fmt: skip
"""Values of another kind than whatever stands there."""

Mend = Callable[[Any], Any]


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in nested plain data, as the keys that lead to it."""
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*above, key))


def put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """`value` with `new` at `place`."""
    if not place:
        return new
    holder = value
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = new
    return value


def drop(value: Any, place: tuple[Any, ...]) -> Any:
    """`value` without what is at `place`."""
    if not place:
        return {}
    holder = value
    for key in place[:-1]:
        holder = holder[key]
    del holder[place[-1]]
    return value


def bytes_of(path: Path, draw: random.Random) -> str:
    """Change the bytes of a file."""
    content = bytearray(path.read_bytes())
    way = draw.choice(("flip", "cut", "empty", "stuff", "double", "text", "zeros"))
    at = draw.randrange(len(content) + 1)
    if way == "flip":
        for _ in range(draw.choice((1, 1, 8, 64))):
            if content:
                content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif way == "cut":
        del content[at:]
    elif way == "empty":
        content.clear()
    elif way == "stuff":
        content[at:at] = draw.randbytes(draw.choice((1, 16, 1000)))
    elif way == "double":
        content = bytearray(bytes(content) * 2)
    elif way == "text":
        content[at:at] = draw.choice((HTML, ESCAPES, "{", "]", '"', "\n\n", ": ", "&a [*a]", "9" * 5000)).encode()
    else:
        content[at : at + 64] = bytes(64)
    path.write_bytes(content)
    return f"{way} at {at}"


def values_of(path: Path, draw: random.Random) -> str:
    """Change one value of a JSON, JSON-lines or YAML file: of another kind, gone, or a key that is none of it."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        lines = text.splitlines()
        if not lines:
            return "nothing"
        number = draw.randrange(len(lines))
        value, told = _changed(json.loads(lines[number]), draw)
        lines[number] = json.dumps(value)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return f"line {number} {told}"
    if path.suffix == ".yaml":
        value, told = _changed(yaml.safe_load(text), draw)
        path.write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8", errors="surrogatepass")
        return told
    value, told = _changed(json.loads(text), draw)
    path.write_text(json.dumps(value), encoding="utf-8")
    return told


def _changed(value: Any, draw: random.Random) -> tuple[Any, str]:
    place = draw.choice(list(places(value)))
    way = draw.choice(("other", "other", "other", "gone", "more"))
    if way == "gone":
        return drop(value, place), f"without {place}"
    new = draw.choice(STRANGE)
    if way == "more" and isinstance(value, dict):
        name = draw.choice((HTML, ESCAPES, "step", "x" * 5000, "../x", ""))
        return {**value, name: new}, f"with {name[:20]!r}: {str(new)[:60]!r}"
    return put(value, place, new), f"{place} = {str(new)[:60]!r}"


def tensors_of(path: Path, draw: random.Random) -> str:
    """Change one tensor of a safetensors file, which stays a sound one."""
    tensors = load_file(path)
    names = sorted(tensors)
    name = draw.choice(names)
    before = tensors[name]
    way = draw.choice(("gone", "shape", "scalar", "empty", "type", "nan", "huge", "more", "none", "swapped"))
    if way == "gone":
        del tensors[name]
    elif way == "shape":
        tensors[name] = torch.zeros(*before.shape, 2, dtype=before.dtype)
    elif way == "scalar":
        tensors[name] = torch.zeros((), dtype=before.dtype)
    elif way == "empty":
        tensors[name] = torch.zeros(0, dtype=before.dtype)
    elif way == "type":
        kind = draw.choice((torch.bool, torch.uint8, torch.int64, torch.float16, torch.float64, torch.bfloat16))
        tensors[name] = before.to(kind)
    elif way in ("nan", "huge"):
        filler = float("nan") if way == "nan" else 1e38
        number = filler if before.is_floating_point() else 200 if before.dtype == torch.uint8 else 1
        tensors[name] = torch.full_like(before, number)
    elif way == "more":
        tensors[draw.choice((HTML, ESCAPES, "x", "helper/x/weight", "average/x", "optimizer/x"))] = torch.zeros(3)
    elif way == "none":
        tensors = {"x": torch.zeros(1)}
    else:
        other = draw.choice(names)
        tensors[name], tensors[other] = tensors[other], tensors[name].clone()
    save_file({key: tensor.clone().contiguous() for key, tensor in tensors.items()}, path)
    return f"{way} {name}"


def missing(path: Path, draw: random.Random) -> str:
    """Take a file or folder away, or put something of another kind in its place."""
    way = draw.choice(("gone", "folder", "file", "unreadable"))
    if way == "unreadable" and path.is_file():
        path.chmod(0)
        return way
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if way == "folder":
        path.mkdir()
        (path / "x").write_text("x", encoding="utf-8")
    elif way == "file":
        path.write_text("x", encoding="utf-8")
    return way


def digests_anew(checkpoint: Path) -> None:
    """Make ``state.json`` agree with tensors that were changed, as a stranger would."""
    file = checkpoint / "state.json"
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        for name in state["digests"]:
            state["digests"][name] = hashlib.sha256((checkpoint / name).read_bytes()).hexdigest()
        file.write_text(json.dumps(state), encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError):
        return
