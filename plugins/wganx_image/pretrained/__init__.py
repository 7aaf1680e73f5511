"""Generators that other projects trained: their networks, and how to read their files."""
