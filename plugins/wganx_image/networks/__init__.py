"""Generators and critics of pictures."""
