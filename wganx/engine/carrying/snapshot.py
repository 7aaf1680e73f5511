"""The state of a training between two updates, to come back to."""

from __future__ import annotations

import torch

from wganx.engine.steps.updates import Steps


class Snapshot:
    """Copies of everything that an update changes; `restore` puts it back, in the same places."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        tensors = [*steps.readings.sums.values()]
        for player in (steps.critic, steps.generator):
            for network in player.networks:
                tensors += [*network.parameters(), *network.buffers()]
            tensors.append(player.failed)
            tensors += player.optimizer_tensors().values()
        self._tensors = [(tensor.detach(), tensor.detach().clone()) for tensor in tensors]
        self._counts, self._updates = dict(steps.readings.counts), steps.critic_updates
        self._draws, self._layers = steps.draws.get_state(), torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state(steps.draws.device) if steps.draws.device.type == "cuda" else None

    def restore(self) -> None:
        """Everything as it was."""
        steps = self._steps
        for place, value in self._tensors:
            place.copy_(value)
        steps.readings.counts.clear()
        steps.readings.counts.update(self._counts)
        steps.critic_updates = self._updates
        steps.draws.set_state(self._draws)
        torch.set_rng_state(self._layers)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda, steps.draws.device)

    def grown(self) -> tuple[int, dict[str, float]]:
        """Updates of the critic and counts of readings that came since."""
        counts = {name: count - self._counts.get(name, 0.0) for name, count in self._steps.readings.counts.items()}
        return self._steps.critic_updates - self._updates, counts
