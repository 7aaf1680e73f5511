"""Data sets as they are published, one module a family of layouts."""
