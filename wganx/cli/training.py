"""Training a run on the terminal, for the commands that do so."""

from __future__ import annotations

from wganx.api import complete
from wganx.cli.console import reader_console
from wganx.cli.progress import watching
from wganx.errors import INTERRUPTED
from wganx.runs import Run


def train_and_tell(run: Run, *, from_step: int | None = None) -> None:
    """Train `run` to its end under the eyes of whoever watches, and say how it ended.

    Raises:
        SystemExit: it was stopped before its last step (`INTERRUPTED`).
    """
    trainer = run.assembly.trainer
    if not trainer.ranks.first:
        if complete(run, from_step=from_step).assembly.trainer.step < run.resolved.run.train.steps:
            raise SystemExit(INTERRUPTED)
        return
    # Whoever leaves before the end is taken to want no more of it, as with Ctrl-C: it can be resumed.
    console = reader_console(trainer.stop)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    folder, steps = run.folder.typed, run.resolved.run.train.steps
    try:
        with watching(run, console) as progress:
            complete(run, [progress], from_step=from_step)
    except KeyboardInterrupt:
        saved = run.store.steps()
        say(f"stopped at once; saved up to step {saved[-1] if saved else 0} of {steps}; wganx resume {folder} goes on")
        raise SystemExit(INTERRUPTED) from None
    step = trainer.step
    if step < steps:
        say(f"stopped after step {step} of {steps} and saved; continue with: wganx resume {folder}")
        raise SystemExit(INTERRUPTED)
    say(f"finished {step} steps in {run.folder.facts().get('seconds', 0.0):.0f} s")
    for check in trainer.training.health.standing():
        say(f"void    {check.code} stands: {check.summary}; {check.mend}")
    say(f"report  {run.folder.report}")
    say(f"next    wganx sample {folder} -n 16    wganx evaluate {folder}")
