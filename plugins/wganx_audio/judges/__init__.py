"""Who listens: networks and measures that no loss looks through, and what can go wrong with generated sounds."""
