"""A real browser against a live server, with a worker in a thread."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("TOILE_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
DESKTOP = {"width": 1280, "height": 800}
PATIENCE = 90_000
"""Milliseconds that a page, a click or a wait may take on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.e2e)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: BROWSER TESTS DID NOT RUN"))


@pytest.fixture(scope="package", autouse=True)
def _orm_beside_the_browser() -> Iterator[None]:
    """The browser's event loop lives in the test's thread, where Django would refuse to touch rows."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Closed with the last browser test: its event loop would get in the way of every other."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A page in a browser of its own (cookies, storage): ``new_page(viewport=..., java_script_enabled=False)``."""
    contexts = []

    def make(**options: Any) -> Page:
        context = browser.new_context(
            **{"viewport": DESKTOP, "reduced_motion": "reduce", "service_workers": "block", **options}
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.fixture
def complaints(page: Any) -> Iterator[list[str]]:
    """Errors of the page's scripts; none is forgiven."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    yield heard
    assert heard == []


class FoundCloth:
    """What the segmentation of any photo finds here: a skirt in the lower middle."""

    def __init__(self, width: int, height: int) -> None:
        self.mask = np.zeros((height, width), np.float32)
        self.mask[height // 3 : -height // 8, width // 4 : -width // 4] = 1
        self.labels = (self.mask * 4).astype(np.uint8)


class Finder:
    """Stands in for the segmentation: what is tapped is a square around the tap."""

    model = "finder@0"
    knows_taps = True

    def __call__(self, image: Any, **_: Any) -> Any:
        return FoundCloth(*image.size)

    def encode(self, image: Any) -> Any:
        return image.size

    def tap(self, encoded: tuple[int, int], taps: Any, previous: Any = None) -> Any:
        mask = np.zeros(encoded[::-1], np.float32) if previous is None else previous.copy()
        for tap in taps:
            mask[max(0, tap.y - 20) : tap.y + 20, max(0, tap.x - 20) : tap.x + 20] = tap.on
        return mask


@contextmanager
def at_work(*, beating: bool = True) -> Iterator[None]:
    """Queued jobs of every queue are done as they come, in a thread."""
    from django.db import connection

    from ml_backend.serving import jobs

    over = threading.Event()

    def work() -> None:
        try:
            while not over.wait(0.1):
                jobs.work_off(jobs.QUEUES, beating=beating)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def worker(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Does queued jobs as they come.  Finding cloth needs no network here: that is tested where it lives."""
    from ml_backend.serving import loading

    real = loading.pipeline

    def pipeline(capability: str, model: str | None = None) -> Any:
        if capability == "segment":
            return Finder()
        return real(capability, model)

    monkeypatch.setattr(loading, "pipeline", pipeline)
    with at_work(beating=False):
        yield


@pytest.fixture
def shop(live_server: Any, make_person: Any, make_pattern: Any, make_garment: Any) -> str:
    """A live studio with two garments and three published fabrics; its address."""
    house = make_person("toile")
    for seed, kind in enumerate(("plaid", "paisley", "floral")):
        make_pattern(house, pattern_type=kind, seed=seed, public=True)
    make_garment("dress")
    make_garment("skirt")
    return str(live_server.url)
