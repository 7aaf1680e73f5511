"""When networks grow: the schedule that the task, the generator and the critic share.

A run grows from `start` to `size` by doubling. Its first stage takes `first_steps`; every later one takes
`stage_steps`, and begins with `fade_steps` in which the new layers are faded in. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from wganx import ConfigError


@dataclass(frozen=True)
class Stage:
    """What a step is played at.

    Attributes:
        size: width and height of the pictures, in pixels.
        share: of the newest layers, in (0, 1]; 1 where nothing fades.
        fading: whether the step belongs to a fade, whose last one has a share of 1.
    """

    size: int
    share: float
    fading: bool

    def __str__(self) -> str:
        return f"fading to {self.size} px" if self.fading else f"{self.size} px"


@dataclass(frozen=True)
class Growth:
    """The schedule; a stage beyond the last one goes on for ever.

    With k the number of steps since a later stage began, its share is ``min(1, (k + 1) / fade_steps)``: never 0, which
    would waste a step on layers that no gradient reaches, and 1 from the last step of the fade on.

    Raises:
        ConfigError: the sizes are no powers of two from 4 to 1024 px, or pictures are smaller than the first stage.
    """

    size: int
    start: int = 4
    first_steps: int = 2000
    stage_steps: int = 4000
    fade_steps: int = 1000

    def __post_init__(self) -> None:
        if self.size not in (powers := [2**power for power in range(2, 11)]):
            raise ConfigError(
                f"growth doubles the size and ends at {self.size} px, which is none of "
                f"{', '.join(map(str, powers))}: set dataset.size to one of these"
            )
        if self.start not in powers or self.start > self.size:
            raise ConfigError(
                f"networks that start at {self.start} px do not fit pictures of {self.size} px: set task.start to a "
                f"power of two from 4 to {self.size}, or dataset.size to more"
            )
        if self.fade_steps > self.stage_steps:
            raise ConfigError(
                f"a fade of {self.fade_steps} steps does not fit into a stage of {self.stage_steps}: "
                "lower task.fade_steps"
            )

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Of every stage."""
        return tuple(self.start * 2**stage for stage in range((self.size // self.start).bit_length()))

    @property
    def steps(self) -> int:
        """All stages together."""
        return self.first_steps + self.stage_steps * (len(self.sizes) - 1)

    def at(self, step: int) -> Stage:
        """The stage of a step."""
        since = step - self.first_steps
        if since < 0 or len(self.sizes) == 1:
            return Stage(self.start, 1.0, False)
        later = min(since // self.stage_steps, len(self.sizes) - 2)
        since -= later * self.stage_steps
        fading = since < self.fade_steps
        return Stage(self.sizes[later + 1], (since + 1) / self.fade_steps if fading else 1.0, fading)

    def to_json(self) -> dict[str, Any]:
        """Plain data, which `of` reads."""
        return asdict(self)

    @staticmethod
    def of(fitted: Mapping[str, object], network: str) -> Growth:
        """The schedule that the task ``grow`` fitted.

        Raises:
            ConfigError: another task is played, which has none.
        """
        if not isinstance(found := fitted.get("growth"), Mapping):
            raise ConfigError(f"the {network} grows by the schedule of task.name=grow, and this task has none")
        return Growth(**found)
