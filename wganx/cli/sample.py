"""``wganx sample``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wganx.cli.selection import with_extensions, with_place
from wganx.errors import UsageError

if TYPE_CHECKING:
    from wganx.runs import Run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-n", "count", type=click.IntRange(min=1), default=16, show_default=True, help="How many.")
@click.option("--seed", type=int, help="Of the noise; the run's own by default.")
@click.option(
    "--given",
    "given",
    multiple=True,
    metavar="LABEL=CLASS",
    help="A class, number or text; repeat for more.",
)
@click.option("--class", "class_name", metavar="NAME", help="The class, for a generator with a single label.")
@click.option("--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, or a step.")
@click.option("--source", type=click.Path(path_type=Path), metavar="PATH", help="A file, or folder, to make it from.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="PATH", help="Where to write; a new RUN/samples/... by default."
)
@click.option("--overwrite", is_flag=True, help="Put the samples in place of those that an earlier draw left in --out.")
@with_place
@with_extensions
def sample(
    run: Path,
    count: int,
    seed: int | None,
    given: tuple[str, ...],
    class_name: str | None,
    checkpoint: str,
    source: Path | None,
    out: Path | None,
    overwrite: bool,
    **place: Any,
) -> None:
    """Draw samples from a run: single files, and a grid picture beside them. Needs no data of the training.

    \b
    Example:
      wganx sample runs/first -n 64 --seed 1 --out picked
      wganx sample runs/first --given label=7
      wganx sample runs/voices --source in.wav --given speaker=anna --out out.wav
    """
    from wganx.api import load_run
    from wganx.runs.drawn import own_folder

    loaded = load_run(run, **place)
    chosen = dict(map(_label_and_class, given))
    if source is not None:
        options: dict[str, Any] = {"seed": seed, "given": chosen, "class_name": class_name, "checkpoint": checkpoint}
        _apply(loaded, source, out, overwrite=overwrite, **options)
        return
    samples, batch = loaded.draw(count, seed=seed, given=chosen, class_name=class_name, checkpoint=checkpoint)
    if out is None:
        own = loaded.resolved.run.seed if seed is None else seed
        out = own_folder(loaded.folder.samples, f"drawn-step-{loaded.step_of(checkpoint):06d}-seed-{own}")
    *files, grid = loaded.write_samples(samples, batch, out, overwrite=overwrite)
    click.echo(f"{count} samples in {len(files)} files under {out}; all at once: {grid}")


def _label_and_class(text: str) -> tuple[str, str]:
    label, equals, name = text.partition("=")
    if not (label and equals):
        raise UsageError(f"--given {text}: write it as LABEL=CLASS, for example --given speaker=anna")
    return label, name


def _apply(run: Run, source: Path, out: Path | None, **options: Any) -> None:
    if out is None:
        raise UsageError("--source needs --out, the file or folder to write")
    written = run.apply(source, out, **options)
    click.echo(f"{len(written)} file{'s' * (len(written) > 1)} written: {written[0] if len(written) == 1 else out}")
