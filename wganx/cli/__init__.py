"""The command line: one file a command, no logic of its own. Nothing here imports torch until a command needs it."""

from wganx.cli.main import main

__all__ = ["main"]
