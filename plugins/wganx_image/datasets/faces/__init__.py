"""Faces of nobody, drawn by closed forms: no files, no licence, and every attribute known."""
