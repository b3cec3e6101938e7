"""Learning-rate schedules, as factors of the recipe's rate."""

from __future__ import annotations

import math


def warmup_cooldown(step: int, steps: int, cooldown: int, warmup: int = 200) -> float:
    """Linear warm-up, constant, linear cool-down to 2 % over the last ``cooldown`` steps."""
    return min(1.0, (step + 1) / warmup, max(0.02, (steps - step) / max(cooldown, 1)))


def warmup_cosine(step: int, steps: int, warmup: int = 100) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    return min((step + 1) / warmup, 0.5 + 0.5 * math.cos(math.pi * step / steps))
