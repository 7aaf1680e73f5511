"""The networks of a training tried on its first batch: what the steps do for them, and what a person is told."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from wganx.batch import Batch, SampleFormat
from wganx.engine.device import place_plainly
from wganx.engine.modes import evaluating
from wganx.engine.planning.calls import NetworkFails
from wganx.engine.planning.preflight import Checked, check_networks
from wganx.engine.randomness import apart
from wganx.engine.rules import Rules
from wganx.engine.steps.player import flatten_scores
from wganx.engine.steps.updates import Losses, Steps
from wganx.errors import PreflightError
from wganx.networks import Networks


class Trial:
    """Checks the networks of `steps`, and arranges the steps so that they can be trained as they are.

    `average` is brought along where they are laid out anew; `note` is told what a person should know, once.
    """

    def __init__(
        self, steps: Steps, rules: Rules, format: SampleFormat | None, average: nn.Module, note: Callable[[str], None]
    ) -> None:
        self._steps, self._rules, self._format, self._average, self._note = steps, rules, format, average, note
        self._flattening: RemovableHandle | None = None
        self._told: set[str] = set()

    def check(self, batch: Batch) -> None:
        """
        Raises:
            PreflightError: what is wrong, with the mend.
        """
        steps = self._steps
        try:
            checked = self._checked(batch)
        except NetworkFails:
            # A network may count on the plain order in memory: x.view(len(x), -1) after a convolution does.
            if not self._lay_out_plainly():
                raise
            checked = self._checked(batch)
            self._note("the networks are trained with channels in the plain order in memory, which their views ask for")
        # Statistics over a batch of both kinds would tell the critic which is which, and its gradient nothing.
        steps.joined = steps.joined and checked.rows_apart and checked.rows is None
        steps.rows, steps.attention = checked.rows, checked.attention
        if checked.column and self._flattening is None:
            self._flattening = steps.critic.module.register_forward_hook(flatten_scores)
        for note in checked.notes:
            if note not in self._told:
                self._told.add(note)
                self._note(note)

    def release(self) -> None:
        """Take off the critic what was hung on it."""
        if self._flattening is not None:
            self._flattening.remove()
            self._flattening = None

    def _checked(self, batch: Batch) -> Checked:
        steps, rules = self._steps, self._rules
        if steps.compares_features and batch.condition:
            raise PreflightError(
                f"the critic's features are compared by themselves, and this task also shows it "
                f"{', '.join(batch.condition)}; play it without, or take another objective"
            )
        if steps.critic_losses is not None and not rules.objective.trains_critic:
            self._refuse_critic_losses(batch, steps.critic_losses)
        return check_networks(
            steps.generator.module, steps.one_score(), batch, noise=rules.noise, constraint=rules.constraint,
            format=self._format, pack=rules.pack, layout=steps.layout, extras=steps.generator_losses is not None,
        )  # fmt: skip

    def _refuse_critic_losses(self, batch: Batch, losses: Losses) -> None:
        """A game may have losses of the critic whose weights are 0; others would be left aside."""
        steps = self._steps
        with apart(0, batch.real.device) as draws, torch.no_grad(), evaluating(steps.generator.module):
            networks = Networks(steps.generator.module, steps.critic.module, steps.helpers)
            found = losses(networks, steps.make_fake(batch, steps.draw_noise(batch, draws)), batch, 0)
        if found:
            raise PreflightError(f"the critic's loss {', '.join(found)} has no effect: {self._rules.no_critic}")

    def _lay_out_plainly(self) -> bool:
        """Bring the networks into the plain order in memory; whether they were in another one."""
        players = (self._steps.generator, self._steps.critic)
        for network in (*(player.module for player in players), self._average):
            place_plainly(network)
        self._steps.layout = torch.contiguous_format
        changed = [player.follow() for player in players]
        return any(changed)
