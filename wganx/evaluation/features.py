"""Features of samples, by any extractor: in chunks on the device, each found once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.data.identity import content_of
from wganx.errors import PluginFailed

CHUNK = 500


class Features:
    """The features of one evaluation's samples.

    Args:
        load: the network of an extractor, by its name.
    """

    def __init__(self, load: Callable[[str], nn.Module], device: torch.device) -> None:
        self._load, self._device = load, device
        self._networks: dict[str, nn.Module] = {}
        self._found: dict[tuple[str, int], tuple[Batch, Tensor]] = {}

    def __call__(self, extractor: str, side: Batch) -> Tensor:
        """Features ``(n, d)`` of ``side.real``, on the CPU in float32.

        Raises:
            PluginFailed: the extractor gives something else.
        """
        key = (extractor, id(side))
        if key not in self._found:
            # The batch is kept with its features, so that no other can come to stand at its place in memory.
            self._found[key] = side, self._extract(extractor, side.real)
        return self._found[key][1]

    def digests(self) -> dict[str, str]:
        """Of the weights of every extractor that was used, by its name."""
        return {name: digest(network) for name, network in self._networks.items()}

    def forget(self) -> None:
        """Let go of the features; the networks stay."""
        self._found.clear()

    @torch.no_grad()
    def _extract(self, extractor: str, samples: Tensor) -> Tensor:
        if extractor not in self._networks:
            self._networks[extractor] = self._load(extractor).to(self._device).eval()
        network = self._networks[extractor]
        found = torch.cat([network(part.to(self._device).float()).cpu() for part in torch.split(samples, CHUNK)])
        if found.ndim != 2 or len(found) != len(samples):
            raise PluginFailed(
                f"extractor {extractor!r} returned features of shape {tuple(found.shape)} for {len(samples)} samples; "
                f"({len(samples)}, d) is wanted"
            )
        return found.float()


def digest(network: nn.Module) -> str:
    """16 hexadecimal digits of a network's weights and buffers."""
    found = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        found.update(name.encode("utf-8"))
        found.update(content_of(tensor))
    return found.hexdigest()[:16]
