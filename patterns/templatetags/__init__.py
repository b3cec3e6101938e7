"""Template tags of cloth."""
