"""What drawn pictures share: the canvas that many are drawn on at once, and items that are drawn when asked for."""
