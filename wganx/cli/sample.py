"""``wganx sample``"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-n", "count", type=click.IntRange(min=1), default=16, show_default=True, help="How many.")
@click.option("--seed", type=int, help="Of the noise; the run's own by default.")
@click.option("--class", "class_name", metavar="NAME", help="One class, for a generator that is given labels.")
@click.option("--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, or a step.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write; RUN/samples/... by default."
)
def sample(run: Path, count: int, seed: int | None, class_name: str | None, checkpoint: str, out: Path | None) -> None:
    """Draw samples from a run: single files, and a grid picture beside them.

    \b
    Example:
      wganx sample runs/first -n 64 --seed 1 --out picked
    """
    from wganx.api import load_run

    loaded = load_run(run)
    loaded.restore(checkpoint)
    batch = loaded.context_batch(count, seed=seed, class_name=class_name)
    samples = loaded.draw(batch, seed=seed)
    if out is None:
        chosen = loaded.resolved.run.seed if seed is None else seed
        out = loaded.folder.samples / f"drawn-step-{loaded.assembly.trainer.step:06d}-seed-{chosen}"
    *files, grid = loaded.write_samples(samples, batch, out)
    click.echo(f"{count} samples in {len(files)} files under {out}; all at once: {grid}")
