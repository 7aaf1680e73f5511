"""Generators and critics of sounds."""
