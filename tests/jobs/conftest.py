from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from ml_backend.serving import jobs
from ml_backend.serving.jobs import kinds


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """``with committed():`` what waits for the commit is done at its end."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture
def kind() -> Iterator[Callable[..., str]]:
    """Register a handler for the length of a test: ``kind(function)`` returns the kind's name."""
    names: list[str] = []

    def register(function: jobs.Handler | None = None) -> str:
        def nothing(job: Any, report: Any, should_stop: Any) -> jobs.Publish:
            return lambda: None

        names.append(f"test-{len(names)}")
        jobs.handler(names[-1])(function or nothing)
        return names[-1]

    yield register
    for name in names:
        kinds.handlers.pop(name)
