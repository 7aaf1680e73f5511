"""The order in which items are visited: a pure function of the seed and the number of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from wganx.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor


class ShuffledOrder:
    """An endless sequence of permutations of ``0 .. count - 1``, cut into batches of the same size.

    Epoch ``e`` is a permutation drawn from ``(seed, e)`` alone, and a batch may reach over the end of an epoch into
    the next. So batch ``k`` depends on nothing but ``(count, batch_size, seed, k)``, and the place in the data is
    one integer.
    """

    def __init__(self, count: int, batch_size: int, seed: int, *, device: torch.device | str = "cpu") -> None:
        """`device` is where the indices are wanted; a permutation travels there once an epoch, not once a batch.

        Raises:
            DataError: there is nothing to order, the batch is empty, or the seed is negative.
        """
        if count < 1:
            raise DataError("there are no items to train on; give a dataset that has some")
        if batch_size < 1:
            raise DataError(f"a batch needs at least 1 item, got a batch size of {batch_size}")
        if seed < 0:
            raise DataError(f"the seed must be 0 or more, got {seed}")
        self.count = count
        self.batch_size = batch_size
        self.seed = seed
        self.device = torch.device(device)
        self._epochs: dict[int, Tensor] = {}

    def indices(self, batch: int) -> Tensor:
        """Indices of batch number `batch` (from 0), ``(batch_size,)``, int64, on the device."""
        start, stop = batch * self.batch_size, (batch + 1) * self.batch_size
        epochs = range(start // self.count, (stop - 1) // self.count + 1)
        self._epochs = {epoch: self._permutation(epoch) for epoch in epochs}
        pieces = [
            permutation[max(start - epoch * self.count, 0) : stop - epoch * self.count]
            for epoch, permutation in self._epochs.items()
        ]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch in self._epochs:
            return self._epochs[epoch]
        mixed = np.random.SeedSequence([self.seed, epoch]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(mixed))
        permutation = torch.randperm(self.count, generator=generator)
        if self.device.type == "cuda":
            permutation = permutation.pin_memory()  # from pageable memory the copy would wait for the device
        return permutation.to(self.device, non_blocking=True)
