"""Every random stream of a training, kept apart from the caller's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wganx.devices import forked_streams
from wganx.engine.turns import TURNS
from wganx.errors import CheckpointError, UsageError
from wganx.names import shortened


def checked_seed(seed: int) -> int:
    """`seed`, which torch can take.

    Raises:
        UsageError: it has more than 64 bits.
    """
    if not -(2**63) <= seed < 2**63:
        raise UsageError(f"a seed lies between {-(2**63)} and {2**63 - 1}, got {shortened(str(seed), 40)}")
    return seed


@contextmanager
def apart(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """Inside, all global streams (torch's, numpy's, Python's) and the generator that is given start from `seed`.

    Nothing else is moved: afterwards the streams are where they were. A training in another thread is not disturbed:
    it is paused between two of its steps.
    """
    with TURNS.taken(), forked_streams(device), _libraries_put_back():
        torch.manual_seed(checked_seed(seed))
        np.random.seed(seed % 2**32)
        random.seed(seed)
        yield torch.Generator(device).manual_seed(seed)


@contextmanager
def _libraries_put_back() -> Iterator[None]:
    """Around work that may draw from the global streams of numpy and Python, which are put back behind it."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


class RandomStreams:
    """The randomness of one training.

    `draws` is the generator behind noise, interpolation weights and augmentation. What networks and data draw from
    the global streams of torch, as dropout does, of numpy and of Python, comes from streams of the training's own
    inside `active`; the caller's are untouched.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.seed = seed
        self.draws = torch.Generator(device)
        self.reseed(0)

    def reseed(self, round: int) -> None:
        """Start streams that depend on the seed and on `round`, so that a repetition takes another course."""
        seed = self.seed_of(round)
        self.draws.manual_seed(seed)
        with apart(seed, self.device):
            self._layers = self._global_states()
        if self._inside:
            self._set_global_states(self._layers)

    def seed_of(self, number: int) -> int:
        """A seed for round or step `number`; those of neighbouring seeds are far from each other."""
        # A large odd stride: neighbouring seeds must not meet each other's later rounds.
        return (self.seed + number * 0x9E3779B97F4A7C15) % 2**63

    @contextmanager
    def active(self) -> Iterator[None]:
        """Inside, the global streams are this training's; afterwards they are the caller's again."""
        with forked_streams(self.device), _libraries_put_back():
            self._set_global_states(self._layers)
            self._inside = True
            try:
                yield
            finally:
                self._layers = self._global_states()
                self._inside = False

    def apart(self, seed: int) -> AbstractContextManager[torch.Generator]:
        """Inside, the global streams and the generator that is given start from `seed`; nothing else is moved."""
        return apart(seed, self.device)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Around what only looks: whatever it draws from global streams, they are put back behind it."""
        if not self._inside:
            with forked_streams(self.device), _libraries_put_back():
                yield
            return
        # The training's own are kept as between the calls of `active`, so that it can be captured meanwhile.
        self._layers, self._inside = self._global_states(), False
        try:
            yield
        finally:
            self._inside = True
            self._set_global_states(self._layers)

    def tensors(self) -> dict[str, Tensor]:
        """The state of every stream."""
        layers = self._global_states() if self._inside else self._layers
        return {"draws": self.draws.get_state(), **layers}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave.

        Raises:
            CheckpointError: they are no states of these streams.
        """
        # Copied: those of a checkpoint are its file, mapped, and Windows removes no file that is.
        layers = {name: state.clone() for name, state in tensors.items() if name != "draws"}
        try:
            self.draws.set_state(tensors["draws"])
            with forked_streams(self.device), _libraries_put_back():
                self._set_global_states(layers)
        except (KeyError, RuntimeError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError("the checkpoint is damaged: it holds no state of the random streams") from error
        self._layers = layers
        if self._inside:
            self._set_global_states(self._layers)

    _inside = False

    @property
    def _beside(self) -> str:
        """Name of the state of the device's own global stream."""
        return f"layers_{self.device.type}"

    def _global_states(self) -> dict[str, Tensor]:
        states = {"layers": torch.get_rng_state(), **_library_states()}
        if self.device.type != "cpu":
            states[self._beside] = torch.get_device_module(self.device).get_rng_state(self.device)
        return states

    def _set_global_states(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["layers"])
        _set_library_states(states)
        if self.device.type != "cpu":
            torch.get_device_module(self.device).set_rng_state(states[self._beside], self.device)


def _library_states() -> dict[str, Tensor]:
    """The states of numpy's and Python's global streams as tensors."""
    numpy: Any = np.random.get_state(legacy=False)
    _, words, other = random.getstate()
    return {
        "numpy": torch.tensor([*numpy["state"]["key"].tolist(), numpy["state"]["pos"], numpy["has_gauss"]]),
        "numpy_gauss": torch.tensor(numpy["gauss"], dtype=torch.float64),
        "python": torch.tensor([*words, other is not None]),
        "python_gauss": torch.tensor(other or 0.0, dtype=torch.float64),
    }


def _set_library_states(states: Mapping[str, Tensor]) -> None:
    """Put back what `_library_states` gave; a checkpoint of an earlier wganx has none of it."""
    if "numpy" not in states:
        return
    *key, place, has_gauss = states["numpy"].tolist()
    np.random.set_state(("MT19937", np.array(key, np.uint32), place, has_gauss, states["numpy_gauss"].item()))
    *words, has_other = states["python"].tolist()
    random.setstate((3, tuple(words), states["python_gauss"].item() if has_other else None))
