"""What measures clips."""
