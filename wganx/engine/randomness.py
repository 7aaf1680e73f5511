"""Every random stream of a training, kept apart from the caller's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import torch
from torch import Tensor

from wganx.engine.turns import TURNS


@contextmanager
def apart(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """Inside, all global streams (torch's, numpy's, Python's) and the generator that is given start from `seed`.

    Nothing else is moved: afterwards the streams are where they were. A training in another thread is not disturbed:
    it is paused between two of its steps.
    """
    with TURNS.taken(), torch.random.fork_rng(cuda_among(device)), _libraries_put_back():
        torch.manual_seed(seed)
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


def cuda_among(device: torch.device) -> list[torch.device]:
    """The devices beside the CPU whose global stream has to be looked after."""
    return [device] if device.type == "cuda" else []


class RandomStreams:
    """The randomness of one training.

    `draws` is the generator behind noise, interpolation weights and augmentation. Layers that draw from torch's
    global stream, such as dropout, get a stream of their own inside `active`; the caller's is untouched.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.seed = seed
        self.draws = torch.Generator(device)
        self.reseed(0)

    def reseed(self, round: int) -> None:
        """Start streams that depend on the seed and on `round`, so that a repetition takes another course."""
        # A large odd stride: neighbouring seeds must not meet each other's later rounds.
        seed = (self.seed + round * 0x9E3779B97F4A7C15) % 2**63
        self.draws.manual_seed(seed)
        with torch.random.fork_rng(self._cuda()):
            torch.manual_seed(seed)
            self._layers = self._global_states()
        if self._inside:
            self._set_global_states(self._layers)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Inside, torch's global streams are this training's; afterwards they are the caller's again."""
        with torch.random.fork_rng(self._cuda()):
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
        with _libraries_put_back():
            if not self._inside:
                with torch.random.fork_rng(self._cuda()):
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
        """Put back what `tensors` gave."""
        self.draws.set_state(tensors["draws"])
        self._layers = {name: state for name, state in tensors.items() if name != "draws"}
        if self._inside:
            self._set_global_states(self._layers)

    _inside = False

    def _cuda(self) -> list[torch.device]:
        return cuda_among(self.device)

    def _global_states(self) -> dict[str, Tensor]:
        states = {"layers": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["layers_cuda"] = torch.cuda.get_rng_state(self.device)
        return states

    def _set_global_states(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["layers"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states["layers_cuda"], self.device)
