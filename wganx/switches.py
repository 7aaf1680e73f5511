"""What is switched for a whole process, kept as it was around code of others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def switches_kept() -> Iterator[None]:
    """Afterwards torch's gradients and default type are switched as they were, whatever happened inside."""
    torch = sys.modules.get("torch")  # which is not imported for its own sake
    if torch is None:
        yield
        return
    gradients, kind = torch.is_grad_enabled(), torch.get_default_dtype()
    try:
        yield
    finally:
        if torch.is_grad_enabled() != gradients:
            torch.set_grad_enabled(gradients)
        if torch.get_default_dtype() != kind:
            torch.set_default_dtype(kind)
