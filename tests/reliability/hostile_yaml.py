"""YAML that nobody means: every kind of scalar, key and structure that a configuration may be handed.

What is made here is text, so that tags, dates, anchors and escapes are those of YAML and not of Python.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

DATES = ("2001-12-14", "2001-12-14t21:59:43.10-05:00", "2001-99-99", "0000-00-00", "12:30:45", "190:20:30.15")
TAGGED = (
    '!!binary "R0lGODlhDAAMAIQAAP"', '!!binary "no base 64!"', "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1, a: 2]",
    "!!timestamp x", "!!timestamp 2001-12-14", "!!int abc", '!!int ""', "!!int [1]", "!!float x", '!!float ""',
    "!!bool maybe", "!!null x", "!!str 5", "!!str {a: 1}", "!!map x", "!!seq x", "!local x", "!!merge x", "=", "<<",
    '!!python/object/apply:os.system ["touch executed"]', "!!python/name:os.system x", "!!python/tuple [1, 2]",
    "!<tag:yaml.org,2002:python/module:os> x", "!!value x", "!!yaml x", "!!int 0b", "!!int 0x", "!!int _", "!!float _",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "1", "1000000000", "1" + "0" * 30, "-1" + "0" * 30, "9" * 4301, "-" + "9" * 5000, "0x" + "f" * 5000,
    "0b" + "1" * 20000, "0o777", "0777", "1:" + "59:" * 900 + "59", "1e400", "1.0e+400", "-1.0e+400", "1.0e-400",
    ".inf", "-.inf", ".nan", "nan", "inf", "1_000_000", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "4294967296", "0.1", "1.5", "-0.0", "9" * 400 + ".5", "1." + "0" * 5000 + "1",
)  # fmt: skip
WORDS = (
    "true", "false", "on", "off", "yes", "null", "~", '""', '" "', '"\\0"', '"\\e[31mred\\e[0m"', '"\\e]0;title\\a"',
    '"\\u202egnp.exe"', '"\\ud800"', '"\\udcff"', '"\\U0010ffff"', '"\\x7f\\x80\\x9b31m"', '"\\u2028\\u2029\\x85"',
    "~nobody/x", "~root/x", '"~nobody"', "/dev/zero", "/dev/stdin", "/proc/self/mem", "/proc/self/fd/0", "..", ".", "/",
    '"a\\nb"', '"a\\rb"', "$HOME", "'%s%n'", "'{x}'", "'{0.__class__}'", "'[bold]x[/bold]'", "'[/nope]'", "':smile:'",
    "auto", "meta", "cuda:99", "cpu:1", "mps", "cuda:-1", "xla", "privateuseone", "'../../x'", "a:b", "a:b:c", "./x.py",
    "nowhere.py", "x" * 300, "'" + "x/" * 3000 + "'", "http://127.0.0.1:9/x", "con", "nul.txt", "ﬀ", "name: x",
)  # fmt: skip
STRUCTURES = (
    "[]", "{}", "[[]]", "[null]", "[1, [2, [3]]]", "{a: {b: {c: 1}}}", "[{}]", "{name: []}", "[1, 2, 3]", "[0.5, .nan]",
    "{1: 2}", "{null: 1}", "{true: 1}", "{2001-12-14: 1}", "{[a]: 1}", "{? {a: 1} : 2}", "{a: 1, a: 2}", "{<<: {a: 1}}",
    "{<<: [{a: 1}, {b: 2}]}", "{<<: x}", '{"\\e[31m": 1}', '{"\\u202e": 1}', '{"\\ud800": 1}', '{"\\0": 1}', "{'': 1}",
    "{a.b: 1}", "{a.b.c: {d: 1}}", "&a [*a]", "&a {b: *a}", "[&a 1, *a]", "*nothing", "[&a [1, 2], *a, *a]",
    "{name: {name: {name: x}}}", "{name: x, name: y}", "[{name: x}, {name: x}]", "{__class__: 1, __init__: 2}",
    "{model_fields: 1, model_config: 2}", "{name: wasserstein, migrate: 1}", "[" + "x, " * 3000 + "x]",
)  # fmt: skip


def bomb(kind: str, size: int) -> str:
    """A value that is small as text and large, deep or slow as what it stands for."""
    if kind == "aliases":  # ten to the power of `size`
        levels = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
        levels += [f"- &a{level + 1} [{', '.join([f'*a{level}'] * 10)}]" for level in range(size)]
        return "\n" + "\n".join(f"    {level}" for level in levels)
    if kind == "mappings":
        levels = ["    a0: &b0 {x: 1, y: 2}"]
        levels += [f"    a{level + 1}: &b{level + 1} {{l: *b{level}, r: *b{level}}}" for level in range(size)]
        return "\n" + "\n".join(levels)
    if kind == "deep list":
        return "[" * size + "]" * size
    if kind == "deep mapping":
        return "{a: " * size + "1" + "}" * size
    if kind == "deep block":
        return "\n" + "\n".join(f"{' ' * (level + 4)}a:" for level in range(size))
    if kind == "keys":
        return "{" + ", ".join(f"option_{number}: {number}" for number in range(size)) + "}"
    if kind == "long key":
        return f"{{{'k' * size}: 1}}"
    if kind == "long text":
        return f"'{'t' * size}'"
    if kind == "items":
        return "[" + "1, " * size + "1]"
    assert kind == "anchors", kind
    return "[" + ", ".join(f"&a{number} {number}" for number in range(size)) + "]"


BOMBS = {
    "aliases": (1, 3, 9, 30), "mappings": (3, 12, 40), "deep list": (30, 300, 3000, 100_000),
    "deep mapping": (30, 300, 3000, 30_000), "deep block": (30, 200, 1000), "keys": (30, 1000, 7000, 50_000),
    "long key": (300, 2000, 1_000_000), "long text": (5000, 3_000_000), "items": (1000, 200_000),
    "anchors": (10, 20_000),
}  # fmt: skip


def hostile(rng: Random) -> str:
    """A value as text; bombs among them, but seldom, since they cost seconds."""
    if rng.random() < 0.04:
        kind = rng.choice(sorted(BOMBS))
        return bomb(kind, rng.choice(BOMBS[kind]))
    return rng.choice(rng.choice((DATES, TAGGED, NUMBERS, WORDS, STRUCTURES)))


def hostile_key(rng: Random) -> str:
    """A key as text."""
    odd = ("2001-12-14", "1", "null", "true", "~", "''", "'a.b'", '"\\e[2J"', '"\\u202ex"', '"\\ud800"', '"\\0"',
           "<<", "=", "? [a]\n", "!!binary eA==", "!!int x", "k" * 2000, "__proto__", "name", "nam", "steps",
           "WGANX")  # fmt: skip
    return rng.choice(odd)


def document(sections: Mapping[str, Any], rng: Random) -> bytes:
    """A configuration with some of its values, keys, sections or bytes replaced."""
    kept = {name: value for name, value in sections.items() if name == "plugin" or rng.random() < 0.7}
    # Mostly one thing is wrong, so that it is not hidden behind another.
    much = rng.choice((0.1, 0.1, 0.1, 1.0))
    lines: list[str] = []
    for name, value in kept.items():
        if isinstance(value, dict):
            entries = [[key, json.dumps(inner)] for key, inner in value.items() if key == "name" or rng.random() < 0.5]
            for entry in rng.sample(entries, min(len(entries), rng.choice((1, 1, 3)))) if rng.random() < much else ():
                if rng.random() < 0.15:
                    entry[0] = hostile_key(rng)
                else:
                    entry[1] = hostile(rng)
            if rng.random() < 0.1 * much:
                entries.append([hostile_key(rng), hostile(rng)])
            if rng.random() < 0.1 * much:
                entries += rng.sample(entries, min(1, len(entries)))
            if rng.random() < 0.1 * much:
                entries = [[f"option_{number}", str(number)] for number in range(rng.choice((5, 500, 7000)))]
            body = "\n".join(f"  {key}: {text}" for key, text in entries)
            lines.append(f"{name}:\n{body}" if rng.random() < 1 - 0.1 * much else f"{name}: {hostile(rng)}")
        else:
            lines.append(f"{name}: {json.dumps(value) if rng.random() < 1 - 0.3 * much else hostile(rng)}")
    if rng.random() < 0.2 * much:
        lines.append(f"{hostile_key(rng)}: {hostile(rng)}")
    if rng.random() < 0.05:
        rng.shuffle(lines)
    return _spoilt("\n".join(lines) + "\n", rng)


def _spoilt(text: str, rng: Random) -> bytes:
    """The text as bytes, seldom those of no text."""
    whole = text.encode("utf-8", "surrogatepass")
    chance = rng.random()
    if chance < 0.9:
        return whole
    if chance < 0.92:
        return whole[: rng.randrange(len(whole))]
    if chance < 0.94:
        at = rng.randrange(len(whole))
        return whole[:at] + bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 40)))) + whole[at:]
    return rng.choice(
        (
            text.encode("utf-16", "surrogatepass"), b"\xef\xbb\xbf" + whole, b"%YAML 9.9\n---\n" + whole,
            whole + b"---\n" + whole, whole + b"...\n", whole + b"\x1b[31m: 1\n", whole + b"\x00", b"", b"\n\n",
            b"- a\n",
            b"# \x1b]0;x\x07\n" + whole, b"{" + whole, whole.replace(b"\n", b"\r\n"), whole.replace(b"  ", b"\t"),
            b"#" * 5_000_000 + b"\n" + whole, b"x: " + b"y" * 3_000_000, b"? " * 3000, b"- " * 3000, b"!!map " * 50,
            b"%TAG ! tag:yaml.org,2002:\n---\n" + whole, b"&a " + whole, b"--- |\n" + whole, b"*a\n",
        )
    )  # fmt: skip
