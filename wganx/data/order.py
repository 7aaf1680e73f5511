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

    def indices(self, batch: int, batches: int = 1) -> Tensor:
        """Indices of `batches` batches from number `batch` on, ``(batches * batch_size,)``, int64, on the device."""
        epoch, start = divmod(batch * self.batch_size, self.count)
        stop = start + batches * self.batch_size
        if stop <= self.count and epoch in self._epochs:  # nearly always
            return self._epochs[epoch][start:stop]
        epochs = range(epoch, epoch + (stop - 1) // self.count + 1)
        self._epochs = {number: self._permutation(number) for number in epochs}
        pieces = [
            permutation[max(start - number * self.count, 0) : stop - number * self.count]
            for number, permutation in enumerate(self._epochs.values())
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
        return permutation.to(self.device, non_blocking=self.device.type == "cuda")
