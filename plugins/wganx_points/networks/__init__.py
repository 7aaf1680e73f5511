"""Generators and critics for points."""
