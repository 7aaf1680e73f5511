"""``wganx completion``"""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script by which a shell completes commands, options, plugins, scenarios and run folders.

    \b
    Example:
      wganx completion bash > ~/.local/share/bash-completion/completions/wganx
      wganx completion zsh > ~/.zfunc/_wganx
      wganx completion fish > ~/.config/fish/completions/wganx.fish

    Open a new shell afterwards. For zsh, `fpath+=~/.zfunc` stands in ~/.zshrc before `compinit`. The script asks the
    installed wganx at every Tab, so it stays as it is when wganx or a plugin is updated.
    """
    from click.shell_completion import get_completion_class

    known = get_completion_class(shell)
    assert known is not None, "click completes all three"
    command = click.get_current_context().find_root().command
    click.echo(known(command, {}, "wganx", "_WGANX_COMPLETE").source())
