"""``wganx pull``"""

from __future__ import annotations

from pathlib import Path

import click

from wganx.cli.paths import PATH
from wganx.names import as_typed


@click.command()
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--revision", metavar="NAME", help="A branch, a tag or a commit; main by default.")
@click.option("--out", type=PATH, metavar="DIR", help="The folder to make; NAME by default.")
def pull(repository: str, revision: str | None, out: Path | None) -> None:
    """Fetch a run from the Hugging Face Hub into a folder that wganx sample draws from. Nothing of it is executed.

    \b
    Example:
      wganx pull anna/faces
      wganx sample faces -n 16 --out drawn
    """
    from wganx.hub import pull as fetch
    from wganx.report.wording import size_in_words

    found = fetch(repository, revision=revision, out=out)
    for name in found.needs:
        if name.endswith(".py"):
            click.echo(
                f"wganx: it needs {name}, code that is never fetched: ask whoever made it, read it, put it there, and "
                "say --trust",
                err=True,
            )
        else:
            click.echo(f"wganx: it needs the plugin {name}, which is not installed here", err=True)
    card = found.folder / "README.md"
    told = f"; its card: {card}" if card.exists() else ""
    size, revision = size_in_words(found.size), found.revision[:7]
    click.echo(f"{found.files} files, {size}, of {repository} at {revision} in {found.folder}{told}")
    click.echo(f"next    wganx sample {as_typed([str(found.folder)])} -n 16, or as the card says")
