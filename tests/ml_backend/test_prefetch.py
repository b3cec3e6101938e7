"""Batches made ahead are the batches that were asked for."""

from __future__ import annotations

import threading

import pytest
import torch

from ml_backend.training.prefetch import Prefetch, prefetch_depth


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_each_step_gets_its_own(depth: int) -> None:
    batches = Prefetch(lambda step: step * 10, depth)
    assert [batches(step) for step in (0, 1, 2, 7, 8, 3)] == [0, 10, 20, 70, 80, 30]


def test_the_next_are_made_while_nobody_asks() -> None:
    made, ready = [], threading.Event()

    def make(step: int) -> int:
        made.append(step)
        if step == 2:
            ready.set()
        return step

    assert Prefetch(make, 2)(0) == 0
    assert ready.wait(10)
    assert sorted(made) == [0, 1, 2]


def test_without_depth_nothing_is_made_too_early() -> None:
    made: list[int] = []
    Prefetch(made.append, 0)(4)
    assert made == [4]


def test_an_error_is_raised_where_its_batch_is_asked_for() -> None:
    batches = Prefetch(lambda step: 1 // (2 - step), 1)
    assert [batches(0), batches(1)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        batches(2)


def test_only_a_gpu_has_its_batches_made_ahead() -> None:
    assert prefetch_depth(torch.device("cpu")) == 0
    assert prefetch_depth(torch.device("cuda")) > 0
