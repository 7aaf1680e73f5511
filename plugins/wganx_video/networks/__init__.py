"""Generators and critics of clips."""
