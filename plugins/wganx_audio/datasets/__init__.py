"""Where sounds come from; every item is ``{"sample": int16 (C, L)}``, with labels under their own names."""
