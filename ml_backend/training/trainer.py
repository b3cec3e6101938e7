"""What trainers of a single network have in common: one update of it, of its optimiser and of its average."""

from __future__ import annotations

from typing import Generic, TypeVar

import torch
from torch import Tensor

from .ema import EMA

Network = TypeVar("Network", bound=torch.nn.Module)


class AveragedTrainer(Generic[Network]):
    """A subclass sets the three; ``ema`` follows ``network``, and is what serves."""

    network: Network
    ema: EMA
    optimiser: torch.optim.Optimizer

    def descend(self, loss: Tensor, steepest: float, *, average: bool = True) -> None:
        """One update down the gradient of ``loss``, its norm at most ``steepest``; ``average`` False leaves the EMA."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), steepest)
        self.optimiser.step()
        if average:
            self.ema.update(self.network)

    def state_dict(self) -> dict[str, object]:
        """What a checkpoint keeps."""
        return {name: getattr(self, name).state_dict() for name in self._parts}

    def load_state_dict(self, state: dict[str, object]) -> None:
        for name in self._parts:
            getattr(self, name).load_state_dict(state[name])

    _parts = ("network", "ema", "optimiser")
