"""Where pictures come from; every item is ``{"sample": uint8 (C, H, W)}``, with ``"label"`` where there are classes."""
