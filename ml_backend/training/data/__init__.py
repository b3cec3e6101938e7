"""Training data: what the recipes learn from."""
