"""What one step of training does to both players, and what it reads off the game."""
