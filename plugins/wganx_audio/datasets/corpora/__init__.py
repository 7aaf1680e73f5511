"""Corpora as they are published: each says what the paths of its files mean, in a few lines of its own."""
