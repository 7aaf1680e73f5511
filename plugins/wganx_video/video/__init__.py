"""Films: how they are read, written and streamed."""
