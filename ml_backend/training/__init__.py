"""Training: one recipe a file, each a frozen config dataclass and a ``train`` function."""
