"""Runs on the Hugging Face Hub: what draws from one is handed on, and fetched as data that executes nothing.

- `push` sends the averaged generator of a checkpoint, the settings, the numbers and a model card;
- `pull` makes a folder of them, from which `wganx.load_generator` and ``wganx sample`` draw.

What a repository holds, and nothing else, says `wganx.hub.contents`.
"""

from wganx.hub.pulling import Pulled, pull
from wganx.hub.pushing import Pushed, push

__all__ = ["Pulled", "Pushed", "pull", "push"]
