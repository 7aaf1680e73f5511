"""The training steps of other GAN packages, each behind the same few methods, for `benchmarks/peers.py`."""
