"""Learning-rate schedules, as factors of the recipe's rate."""

from __future__ import annotations


def warmup_cooldown(step: int, steps: int, cooldown: int, warmup: int = 200) -> float:
    """Linear warm-up, constant, linear cool-down to 2 % over the last ``cooldown`` steps."""
    return min(1.0, (step + 1) / warmup, max(0.02, (steps - step) / max(cooldown, 1)))
