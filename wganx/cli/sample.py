"""``wganx sample``"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH
from wganx.cli.selection import SEED, labels_and_classes, with_extensions, with_place
from wganx.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from wganx.runs import Run


_LINES = 4
"""Noises that each slider is shown for, where nobody says."""
_OF_FILES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".wav", ".flac", ".mp3", ".mp4", ".csv", ".npy", ".zip"}
"""Endings by which a path is meant to be a file, though samples come as a folder of them."""


class _WithTaskOptions(click.Command):
    """Takes flags that only the task of the run knows, each with a value: `applied` of the command's function."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {flag: param for param in self.get_params(ctx) for flag in param.opts}
        known: list[str] = []
        applied: dict[str, str] = {}
        left = list(args)
        while left:
            word = left.pop(0)
            flag, equals, value = word.partition("=")
            if word == "--":
                known += [word, *left]
                break
            if flag in own or not flag.startswith("--"):
                known.append(word)
                param = own.get(flag)
                if left and not equals and isinstance(param, click.Option) and not param.is_flag:
                    known.append(left.pop(0))
                continue
            if ctx.resilient_parsing and not equals and not left:
                break  # a shell completes a line that is not done
            if flag in applied:
                raise UsageError(f"{flag} is given twice; give it once")
            if not equals:
                if not left or left[0].startswith("--"):
                    close = did_you_mean(flag, own)
                    raise UsageError(f"{flag} needs a value, as an option of the task has{close}")
                value = left.pop(0)
            applied[flag] = value
        rest = super().parse_args(ctx, known)
        ctx.params["applied"] = applied
        return rest


@click.command(cls=_WithTaskOptions)
@click.argument("run", type=PATH, shell_complete=run_folders)
@click.option("-n", "count", type=click.IntRange(min=1), default=16, show_default=True, help="How many.")
@click.option("--seed", type=SEED, help="Of the noise; the run's own by default.")
@click.option(
    "--given",
    "given",
    multiple=True,
    metavar="LABEL=CLASS",
    help="A class, number or text; repeat for more.",
)
@click.option("--class", "class_name", metavar="NAME", help="The class, for a generator with a single label.")
@click.option("--truncation", type=float, default=1.0, help="Below 1, samples are more typical and more alike.")
@click.option(
    "--slide",
    "slide",
    multiple=True,
    metavar="CLASS",
    help="Slide to a class through the noise, or along its way 1, 2, ...; repeat for more.",
)
@click.option("--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, or a step.")
@click.option("--source", type=PATH, metavar="PATH", help="A file, or folder, to make it from.")
@click.option("--out", type=PATH, metavar="PATH", help="Where to write; a new RUN/samples/... by default.")
@click.option("--overwrite", is_flag=True, help="Put the samples in place of those that an earlier draw left in --out.")
@with_place
@with_extensions
def sample(
    run: Path,
    count: int,
    seed: int | None,
    given: tuple[str, ...],
    class_name: str | None,
    truncation: float,
    slide: tuple[str, ...],
    checkpoint: str,
    source: Path | None,
    out: Path | None,
    overwrite: bool,
    applied: Mapping[str, str],
    **place: Any,
) -> None:
    """Draw samples from a run: single files, and a grid picture beside them. Needs no data of the training.

    With --source, files or whole folders go through the generator. What a task lets you choose for them is a flag with
    a value, such as --factor 4; `wganx plugins show` lists them, and so does the message about a wrong one.

    \b
    Example:
      wganx sample runs/first -n 64 --seed 1 --out picked
      wganx sample runs/first --given label=7
      wganx sample runs/first --slide glasses=dark --slide 1
      wganx sample runs/voices --source in.wav --given speaker=anna --out out.wav
      wganx sample runs/slower --source in.mp4 --factor 4 --out out.mp4
    """
    from wganx.api import load_run
    from wganx.runs.drawn import own_folder

    if applied and source is None:
        flag = next(iter(applied))
        flags = [each for param in click.get_current_context().command.params for each in param.opts]
        close = did_you_mean(flag, flags)
        told = f"{close} An" if close else "; an"
        raise UsageError(f"wganx sample has no option {flag}{told} option of the task is for files: give --source too")
    loaded = load_run(run, **place)
    chosen = labels_and_classes(given)
    if source is not None:
        if truncation != 1 or slide:
            flag = "--slide" if slide else "--truncation"
            raise UsageError(f"{flag} is for samples that are made of noise; leave it out with --source")
        options: dict[str, Any] = {"seed": seed, "given": chosen, "class_name": class_name, "checkpoint": checkpoint}
        _apply(loaded, source, out, applied, overwrite=overwrite, **options)
        return
    if slide:
        if truncation != 1:
            raise UsageError("--slide goes through all of the noise; leave --truncation out")
        source_of_count = click.get_current_context().get_parameter_source("count")
        lines = _LINES if source_of_count is ParameterSource.DEFAULT else count
        _slide(loaded, slide, lines, out, seed=seed, given=chosen, class_name=class_name, checkpoint=checkpoint,
               overwrite=overwrite)  # fmt: skip
        return
    if out is not None and out.suffix.lower() in _OF_FILES and not out.is_dir():
        raise UsageError(
            f"{out} is the name of a file, and samples are files in a folder; give one, --out {out.with_suffix('')}"
        )
    samples, batch = loaded.draw(
        count, seed=seed, given=chosen, class_name=class_name, truncation=truncation, checkpoint=checkpoint,
        written=True,
    )  # fmt: skip
    if out is None:
        own = loaded.resolved.run.seed if seed is None else seed
        how = "" if truncation == 1 else f"-truncation-{truncation:g}"
        out = own_folder(
            loaded.folder.own(loaded.folder.samples), f"drawn-step-{loaded.step_of(checkpoint):06d}-seed-{own}{how}"
        )
    *files, grid = loaded.write_samples(samples, batch, out, overwrite=overwrite)
    click.echo(f"{count} samples in {len(files)} files under {out}; all at once: {grid}")


def _slide(
    run: Run,
    wanted: tuple[str, ...],
    lines: int,
    out: Path | None,
    *,
    seed: int | None,
    given: Mapping[str, str],
    class_name: str | None,
    checkpoint: str,
    overwrite: bool,
) -> None:
    from wganx.runs import Sliding, keep_chosen
    from wganx.runs.drawing import with_short_form
    from wganx.runs.drawn import own_folder

    sampler, own = run.sampler(checkpoint), run.resolved.run.seed if seed is None else seed
    sliding = Sliding(run, sampler, seed=own, given=with_short_form(sampler, given, class_name))
    sliders = [sliding.slider(each) for each in wanted]
    step, in_run = run.step_of(checkpoint), out is None
    if out is None:
        out = own_folder(run.folder.own(run.folder.samples), f"slid-step-{step:06d}-seed-{own}")
    files = sliding.write(sliders, lines, out, overwrite=overwrite)
    measured = [found.in_words(slider) for slider in sliders if (found := sliding.measure(slider)) is not None]
    for line in measured:
        click.echo(line)
    if in_run:
        keep_chosen(run, step, files[-1], measured)
    click.echo(f"{len(files) - 1} samples in as many files under {out}; all at once: {files[-1]}")


def _apply(run: Run, source: Path, out: Path | None, applied: Mapping[str, str], **options: Any) -> None:

    from wganx.cli.console import make_console
    from wganx.cli.passing import watching_files
    from wganx.config import read_value

    if out is None:
        raise UsageError("--source needs --out, the file or folder to write")
    for flag, text in applied.items():
        name = flag.removeprefix("--").replace("-", "_")
        if name in options:
            raise UsageError(f"wganx sample has no option {flag}")
        options[name] = read_value(text, f"{flag} {text}")
    with watching_files(make_console(err=True)) as watch:
        written = run.apply(source, out, watch=watch, **options)
    click.echo(f"{len(written)} file{'s' * (len(written) > 1)} written: {written[0] if len(written) == 1 else out}")
