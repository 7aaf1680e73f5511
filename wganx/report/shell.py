"""The shell of every page: one file, under a policy that allows what stands in it and nothing else.

A page is a template that extends ``shell.html.jinja``. Its `parts` say which styles and scripts come along: each is
``assets/NAME.css`` and ``assets/NAME.js``, and belongs to the macros of a template of its own. A package elsewhere is
the `home` of its own page: its ``templates`` and ``assets`` stand beside those here.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wganx.loopback import source_hash
from wganx.plain import number
from wganx.report.wording import figure, size_in_words

LARGEST_PAGE = 8_000_000
"""Bytes of a page, whatever it is made of."""

Part = Literal["player", "charts", "sounds", "clips", "comparison", "listening", "demo"]
_ORDER: tuple[Part, ...] = ("player", "charts", "sounds", "clips", "comparison", "listening", "demo")
"""Clips are driven by the player, and the demo starts all of them on what it is sent."""
_HERE = "wganx.report"
_ASKS = "connect-src 'self'; "
_SILENT: tuple[Part, ...] = ("comparison", "listening")  # a style alone


def render(template: str, parts: Collection[Part] = (), *, home: str = _HERE, **values: Any) -> str:
    """The page that `template` draws from `values`, sealed: its policy names the hashes of its style and its script.

    Everything in `values` is text to the page, whoever wrote it. The template reads a ``title`` among them.
    """
    chosen = ["base", *(part for part in _ORDER if part in parts)]
    style = "".join(_asset(f"{name}.css", home) for name in chosen)
    # One closed function: what the parts share, they see, and the page around them does not.
    script = (
        '(() => {\n"use strict";\n'
        + "".join(_asset(f"{name}.js", home) for name in chosen if name not in _SILENT)
        + "})();\n"
    )
    sealed = {
        # The hashes are of exactly what stands between the tags, so both are inserted as they are.
        "style": Markup(style),
        "script": Markup(script),
        "policy": policy(style, script, plays=bool({"sounds", "clips"} & {*parts}), asks="demo" in parts),
    }
    return _environment(home).get_template(template).render(**values, **sealed) + "\n"


def render_part(template: str, *, home: str, **values: Any) -> str:
    """A piece of a page, for one that is open already and has what it takes to show it."""
    return _environment(home).get_template(template).render(**values)


def policy(style: str, script: str, *, plays: bool, asks: bool = False) -> str:
    """Content security policy that allows this style, this script and embedded pictures, and no request at all.

    Where the page `plays`, sounds and clips that are embedded as well; where it `asks`, requests to whoever served it.
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"{'media-src data:; ' if plays else ''}{_ASKS if asks else ''}"
        f"script-src {source_hash(script)}; style-src {source_hash(style)}"
    )


@cache
def _environment(home: str) -> Environment:
    # `select_autoescape` goes by the ends of names and would miss ours.
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((home, _HERE))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda value: figure(number(value))
    environment.filters["size"] = size_in_words
    return environment


@cache
def _asset(name: str, home: str) -> str:
    found = (files(package).joinpath("assets", name) for package in (home, _HERE))
    return next(file for file in found if file.is_file()).read_text(encoding="utf-8")
