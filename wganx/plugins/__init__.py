"""Plugins: what they hand over, the hooks they implement, how they are found and loaded."""
