"""The shell of every page: one file, under a policy that allows what stands in it and nothing else.

A page is a template that extends ``shell.html.jinja``. Its `parts` say which styles and scripts come along: each is
``assets/NAME.css`` and ``assets/NAME.js``, and belongs to the macros of a template of its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wganx.report.plain import number
from wganx.report.wording import figure, size_in_words

LARGEST_PAGE = 8_000_000
"""Bytes of a page, whatever it is made of."""

Part = Literal["player", "charts", "sounds", "clips", "comparison", "listening"]
_ORDER: tuple[Part, ...] = ("player", "charts", "sounds", "clips", "comparison", "listening")
"""Clips are driven by the player."""
_SILENT: tuple[Part, ...] = ("comparison", "listening")  # a style alone


def render(template: str, parts: Collection[Part] = (), **values: Any) -> str:
    """The page that `template` draws from `values`, sealed: its policy names the hashes of its style and its script.

    Everything in `values` is text to the page, whoever wrote it. The template reads a ``title`` among them.
    """
    chosen = ["base", *(part for part in _ORDER if part in parts)]
    style = "".join(_asset(f"{name}.css") for name in chosen)
    # One closed function: what the parts share, they see, and the page around them does not.
    script = (
        '(() => {\n"use strict";\n'
        + "".join(_asset(f"{name}.js") for name in chosen if name not in _SILENT)
        + "})();\n"
    )
    sealed = {
        # The hashes are of exactly what stands between the tags, so both are inserted as they are.
        "style": Markup(style),
        "script": Markup(script),
        "policy": policy(style, script, plays=bool({"sounds", "clips"} & {*parts})),
    }
    return _environment().get_template(template).render(**values, **sealed) + "\n"


def policy(style: str, script: str, *, plays: bool) -> str:
    """Content security policy that allows this style, this script and embedded pictures, and no request at all.

    Where the page `plays`, sounds and clips that are embedded as well.
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"{'media-src data:; ' if plays else ''}"
        f"script-src 'sha256-{_digest(script)}'; style-src 'sha256-{_digest(style)}'"
    )


@cache
def _environment() -> Environment:
    # `select_autoescape` goes by the ends of names and would miss ours.
    environment = Environment(
        loader=PackageLoader("wganx.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda value: figure(number(value))
    environment.filters["size"] = size_in_words
    return environment


@cache
def _asset(name: str) -> str:
    return files("wganx.report").joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
