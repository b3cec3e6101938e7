"""Batches made while the step before them is computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

T = TypeVar("T")


class Prefetch(Generic[T]):
    """``make`` as a function of the step, whose next ``depth`` results are being made by as many threads.

    A batch depends on its step alone, so it does not matter which thread makes it, nor when.  With ``depth`` 0 it is
    made when it is asked for: on a machine without a GPU the same cores would do both.
    """

    def __init__(self, make: Callable[[int], T], depth: int) -> None:
        self._make, self._depth = make, depth
        self._pool = ThreadPoolExecutor(max(depth, 1), thread_name_prefix="batches")
        self._coming: dict[int, Future[T]] = {}

    def __call__(self, step: int) -> T:
        if not self._depth:
            return self._make(step)
        wanted = range(step, step + 1 + self._depth)
        for other in [other for other in self._coming if other not in wanted]:
            self._coming.pop(other).cancel()
        for coming in wanted:
            if coming not in self._coming:
                self._coming[coming] = self._pool.submit(self._make, coming)
        return self._coming.pop(step).result()


def prefetch_depth(device: torch.device) -> int:
    """How many batches to have ready: a GPU must not wait for its images, a CPU has nobody else to make them."""
    return 4 if device.type == "cuda" else 0
