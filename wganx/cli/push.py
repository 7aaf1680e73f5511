"""``wganx push``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH
from wganx.cli.selection import with_trust

if TYPE_CHECKING:
    from wganx.hub import Pushed

_MOST_CLASSES = 6


@click.command()
@click.argument("run", type=PATH, shell_complete=run_folders)
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--private", is_flag=True, help="Make a new repository that its owner alone sees.")
@click.option("--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, or a step.")
@click.option("--licence", metavar="ID", help="Of the weights, as the Hub names it: mit, cc-by-4.0, ...")
@click.option("--message", metavar="TEXT", help="Of the commit.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@with_trust
def push(
    run: Path,
    repository: str,
    private: bool,
    checkpoint: str,
    licence: str | None,
    message: str | None,
    dry_run: bool,
) -> None:
    """Send what draws from a run to the Hugging Face Hub, with a model card.

    Sent are the averaged generator, the settings, what was fitted to the data, the numbers and a few samples drawn
    anew: no data, no log, no path of this machine. Log in before with hf auth login, or set HF_TOKEN.

    \b
    Example:
      wganx push runs/first anna/faces --dry-run
      wganx push runs/first anna/faces --private --licence cc-by-4.0
    """
    from wganx.api import warn
    from wganx.hub import push as send

    sent = send(
        run, repository, private=private, checkpoint=checkpoint, licence=licence, message=message, dry_run=dry_run,
        warn=warn,
    )  # fmt: skip
    _tell(sent, licence)


def _tell(sent: Pushed, licence: str | None) -> None:
    from wganx.report.wording import figure, size_in_words

    for path, size in sorted(sent.files.items()):
        click.echo(f"  {path}  {size_in_words(size)}")
    for name, classes in sent.labels.items():
        more = ", ..." if len(classes) > _MOST_CLASSES else ""
        click.echo(f"named in it: the classes of {name}: {', '.join(classes[:_MOST_CLASSES])}{more}")
    for name in sent.files_needed:
        click.echo(f"not part of it: {name}, which is code; whoever pulls the run needs it from you")
    if licence is None:
        click.echo("licence of the weights: not stated; --licence states it")
    of_all = f"{len(sent.files)} files, {size_in_words(sum(sent.files.values()))}, step {figure(sent.step)}"
    if sent.url is None:
        click.echo(f"would send {of_all}, to {sent.repository}; nothing was sent")
        return
    if sent.removed:
        click.echo(f"of an earlier push {len(sent.removed)} files were taken away; they stay in its history")
    seen = "private" if sent.private else "public"
    click.echo(f"sent {of_all}, to {sent.url} ({seen}); to fetch it: wganx pull {sent.repository}")
