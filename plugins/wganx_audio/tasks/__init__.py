"""The games played on sounds."""
