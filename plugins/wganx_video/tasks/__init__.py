"""The games: prediction, interpolation, upscaling, and films of any length through them."""
