"""The command of a terminal that makes what a visitor asked for."""

from __future__ import annotations

import shlex
from pathlib import Path

from wganx.demo.offers import Offer
from wganx.demo.wishes import Wish
from wganx.plain import printable


def command_of(wish: Wish, offer: Offer, run: Path, checkpoint: str) -> str:
    """``wganx sample`` of `run` with all that `wish` says, quoted for a shell."""
    words = ["wganx", "sample", printable(run)]
    if wish.way == "send":
        words += ["--source", wish.name or f"source{wish.ending}"]
        words += [word for name, value in wish.options.items() for word in (_flag(name), str(value))]
        words += ["--out", f"made{wish.made_as or wish.ending}"]
    else:
        words += ["-n", str(wish.count)]
    chance = offer.has_noise or (offer.from_data and wish.way != "send")
    words += ["--seed", str(wish.seed)] if chance else []
    words += [word for name, value in wish.given.items() for word in ("--given", f"{name}={value}")]
    words += ["--truncation", f"{wish.truncation:g}"] if wish.way == "draw" and wish.truncation != 1 else []
    words += ["--slide", wish.along] if wish.way == "slide" else []
    words += ["--checkpoint", checkpoint] if checkpoint != "last" else []
    return shlex.join(words)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
