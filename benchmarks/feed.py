"""What a batch costs before the training sees it, and what share of every built-in scenario is waiting for data.

First table: batches of 64 pictures of 32 x 32 px in colour, normalised to [-1, 1] and half of them mirrored, from the
sources that people use and from wganx's two feeds. The sources take turns; what one reads ahead while others have their
turn is a few batches of a turn's many. Second table: every scenario of the built-in plugins, trained
for some seconds as `wganx train` would, under its own settings, with the feed it chooses and streamed (files from a
pack). Its share of waiting is what the trainer's stopwatch calls data: reading a batch and making it (mirroring,
scaling, spectrograms). On the CPU that holds the work itself, so it cannot be nothing.

Published data are looked for below --root; --data names a folder or archive of pictures, or of films, for a scenario.
For the rest, pictures of the published size are drawn; their content matters to no clock.

Run: python benchmarks/feed.py [--root data] [--data cifar10=pictures.zip] [--seconds 15] [--json feed.json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from feed_sources import BATCH, draw_pictures, measure_sources
from timing import describe_machine, machine
from wganx_image.configs.datasets import FolderConfig
from wganx_image.datasets.folder import open_folder

import wganx
from wganx.config import Resolved, resolve
from wganx.data import FileItems
from wganx.engine.carrying.stream import Stream
from wganx.plugins import load as load_plugins
from wganx.runs.assembly import Assembly

GOAL = 0.02
"""Waiting may take this share of a step."""
PUBLISHED_SIZE = {"mnist": (28, 28), "fashion-mnist": (28, 28)}
GREY = ("mnist", "fashion-mnist")
FEEDS: dict[str, dict[str, Any]] = {
    "as chosen": {},
    "streamed": {"dataset.feed": "stream", "dataset.pack": "always"},
}


@dataclass(frozen=True)
class Share:
    """What was measured of one scenario under one feed.

    Attributes:
        seconds: of a step.
        share: of them spent waiting for data.
        steps: how many were measured.
        critic_steps: of each; one where a whole step would have taken too long.
        data: the feed's own account of itself.
    """

    scenario: str
    feed: str
    seconds: float
    share: float
    steps: int
    critic_steps: int
    drawn: bool
    data: str


def measure_scenario(resolved: Resolved, feed: str, *, drawn: bool, seconds: float, most: float = 4.0) -> Share:
    """Trains for about so many `seconds`; a step that would take `most` times as long gets a single critic update."""
    assembly = Assembly(resolved)
    training, source = assembly.trainer.training, assembly.stream
    own = training.rules.critic_steps
    try:
        with training.running(Stream(source, assembly.device)):
            training.rules, begun = replace(training.rules, critic_steps=1), time.perf_counter()
            training.stopwatch.shares()
            training.advance()
            shares, taken, steps = training.stopwatch.shares(), time.perf_counter() - begun, 1
            if taken * (own + 1) / 2 < most * seconds:
                training.rules = replace(training.rules, critic_steps=own)
                training.advance()
                training.stopwatch.shares()
                begun, steps = time.perf_counter(), 0
                while time.perf_counter() - begun < seconds:
                    training.advance()
                    steps += 1
                shares, taken = training.stopwatch.shares(), time.perf_counter() - begun
    finally:
        source.close()
    name = f"{resolved.run.plugin} / {resolved.run.scenario}"
    share = shares.get("data", 0.0)
    return Share(name, feed, taken / steps, share, steps, training.rules.critic_steps, drawn, source.feed.reason)


def resolve_scenario(
    plugin: str, scenario: str, feed: Mapping[str, Any], root: Path, given: Mapping[str, Path], drawn: Path
) -> tuple[Resolved, bool]:
    """The scenario on its own data, on pictures that were given for it, or on drawn ones; and whether it is these."""
    own = resolve(plugin=plugin, scenario=scenario).run.dataset
    rooted = {"dataset.root": str(root)} if "root" in type(own).model_fields else {}
    resolved = resolve(plugin=plugin, scenario=scenario, overrides={**rooted, **feed})
    if scenario not in given:
        try:
            _ = Assembly(resolved).train_items
            return resolved, False
        except wganx.WganxError:
            pass
    folder = given.get(scenario, drawn / scenario)
    if plugin == "video":
        return resolve(plugin=plugin, scenario=scenario, data=folder, overrides=feed), False
    size = own.size  # type: ignore[attr-defined]
    if scenario not in given and not folder.exists():
        draw_pictures(folder, 2000, *PUBLISHED_SIZE.get(scenario, (size, size)))
    shape = {"dataset.size": size, "dataset.channels": 1 if scenario in GREY else 3}
    return resolve(plugin=plugin, scenario=scenario, data=folder, overrides={**shape, **feed}), scenario not in given


def render(record: Mapping[str, Any], shares: Sequence[Share]) -> str:
    lines = [describe_machine(record["machine"]), ""]
    if record["sources"]:
        lines += [
            f"Batches of {BATCH} x 3 x 32 x 32, ready to train on; median of {record['rounds']} rounds, with the range "
            "that holds 80 % of them.",
            "",
            "| source | ms a batch | CPU ms of this process |",
            "|---|---|---|",
            *(
                f"| {row['source']} | {row['ms']:.2f} ({row['low']:.2f}-{row['high']:.2f}) | {row['cpu_ms']:.2f} |"
                for row in record["sources"]
            ),
            "",
        ]
    if shares:
        lines += [
            "| scenario | " + " | ".join(f"{feed}: ms a step | waiting" for feed in FEEDS) + " |",
            "|---|" + "---|---|" * len(FEEDS),
        ]
        for name in dict.fromkeys(share.scenario for share in shares):
            cells = [name + (" *" if any(share.drawn for share in shares if share.scenario == name) else "")]
            for feed in FEEDS:
                found = next((share for share in shares if (share.scenario, share.feed) == (name, feed)), None)
                if found is None:
                    cells += ["-", "-"]
                    continue
                over = " (over the goal)" if found.share > GOAL else ""
                short = "" if found.critic_steps > 1 else f" ({found.critic_steps}+1 updates)"
                cells += [f"{1e3 * found.seconds:,.1f}{short}", f"{found.share:.2%}{over}"]
            lines.append(f"| {' | '.join(cells)} |")
        worst = max(shares, key=lambda share: share.share)
        lines += [
            "",
            f"Largest share: {worst.share:.2%} ({worst.scenario}, {worst.feed}); goal: {GOAL:.0%}. "
            "* on drawn pictures of the published size.",
        ]
    return "\n".join(lines) + "\n"


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """Packs go there, not to the user's own cache."""
    before = os.environ.get("WGANX_CACHE")
    os.environ["WGANX_CACHE"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("WGANX_CACHE")
        if before is not None:
            os.environ["WGANX_CACHE"] = before


def named_path(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"SCENARIO=PATH is wanted, not {text!r}")
    return name, Path(path)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("data"), help="where published data are looked for")
    parser.add_argument("--data", type=named_path, action="append", default=[], metavar="SCENARIO=PATH")
    parser.add_argument("--scenarios", nargs="*", metavar="NAME", help="only these; none for the sources alone")
    parser.add_argument("--feeds", nargs="+", choices=FEEDS, default=list(FEEDS), metavar="NAME")
    parser.add_argument("--seconds", type=float, default=15.0, help="of training a scenario and feed")
    parser.add_argument("--rounds", type=int, default=9, help="of the sources; 0 for the scenarios alone")
    parser.add_argument("--batches", type=int, default=50, help="of each source a round")
    parser.add_argument("--pictures", type=int, default=10_000, help="files of the sources")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--json", type=Path, metavar="FILE", help="everything measured; grows by scenario")
    return parser.parse_args()


def keep(record: dict[str, Any], shares: Sequence[Share], path: Path | None) -> None:
    record["scenarios"] = [asdict(share) for share in shares]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    record: dict[str, Any] = {"machine": machine(torch.device("cpu")), "rounds": arguments.rounds, "sources": []}
    shares: list[Share] = []
    with tempfile.TemporaryDirectory() as folder, cache_in(Path(folder) / "cache"):
        drawn = Path(folder)
        if arguments.rounds:
            config = FolderConfig(root=draw_pictures(drawn / "sources", arguments.pictures, 32, 32))
            items = open_folder(config, "train", wganx.DataContext())
            assert isinstance(items, FileItems)
            record["sources"] = measure_sources(items, arguments.rounds, arguments.batches)
        for plugin in ("points", "image", "audio", "video"):
            names = [offer.name for offer in load_plugins([plugin]).offers(wganx.Scenario)]
            for name, feed in itertools.product(names, arguments.feeds):
                if arguments.scenarios is not None and name not in arguments.scenarios:
                    continue
                resolved, is_drawn = resolve_scenario(
                    plugin, name, FEEDS[feed], arguments.root, dict(arguments.data), drawn
                )
                shares.append(measure_scenario(resolved, feed, drawn=is_drawn, seconds=arguments.seconds))
                print(shares[-1], file=sys.stderr, flush=True)
                keep(record, shares, arguments.json)
    keep(record, shares, arguments.json)
    print(render(record, shares), end="")


if __name__ == "__main__":
    main()
