"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class EMA:
    """A frozen copy of ``network`` that follows it: ``shadow = decay * shadow + (1 - decay) * weight``.

    The decay is warmed up as ``min(decay, (1 + n) / (10 + n))`` so that the first hundred updates do not keep the
    random start alive.  Buffers (batch-norm statistics) are copied as they are.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for shadow, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            shadow.lerp_(weight, 1 - decay)
        for kept, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(buffer)

    def state_dict(self) -> dict[str, object]:
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, object]) -> None:
        self.network.load_state_dict(state["network"])  # type: ignore[arg-type]
        self.updates = int(state["updates"])  # type: ignore[call-overload]
