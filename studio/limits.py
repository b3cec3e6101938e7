"""How much may be asked for in how much time, by one person and from one address.

The limits are settings (``settings.LIMITS``).  They are counted in the database (:mod:`studio.counting`), so that all
processes count together and nothing needs to be set up.  Only requests are limited: a command or a worker asks from
nowhere.  Addresses are kept as keyed hashes only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from limits import RateLimitItem
from limits.strategies import FixedWindowRateLimiter

from ml_backend.errors import BadInput
from patterns.htmx import is_htmx

from .address import origin_of
from .counting import Counters

_asking_from: ContextVar[str] = ContextVar("asking_from", default="")

SENTENCES = {
    "guests": "Very many visitors came from your network just now. Please try again in {when}, or sign in.",
    "sign_ups": "Very many people from your network signed up just now. Please try again in {when}; "
    "what you made as a guest is kept.",
    "jobs": "You ask for more than we can make in that time. What you asked for before is still being made; "
    "please try again in {when}.",
    "jobs_address": "Your network asks for more than we can make in that time. What you asked for before is still "
    "being made; please try again in {when}.",
    "uploads": "You have sent very many pictures. Those that arrived are kept; please send this one again in {when}.",
    "uploads_address": "Very many pictures came from your network. Those that arrived are kept; "
    "please send this one again in {when}.",
    "masks": "You are painting faster than we can keep up. What is marked so far is kept; please go on in {when}.",
    "opening": "Your other pictures are still being opened. Nothing was kept of this one; "
    "please send it again in {when}.",
    "decoding": "Your pictures took very long to open. Those that arrived are kept; "
    "please send this one again in {when}.",
    "guesses": "That was a wrong password too often. Your account is as it was; please try again in {when}.",
    "guesses_address": "There were very many wrong passwords from your network. Please try again in {when}.",
    "guesses_name": "There were very many wrong passwords for this name. The account is as it was; "
    "please try again in {when}.",
    "tokens": "There were very many unknown tokens from your network. Please try again in {when}.",
}
"""What a person reads, by the name of the limit."""


class TooFast(BadInput):
    """More than a limit allows; ``retry_after`` seconds later it may be asked for again."""

    def __init__(self, name: str, retry_after: int) -> None:
        super().__init__(SENTENCES[name].format(when=_said(retry_after)))
        self.name = name
        self.retry_after = retry_after


def spend(name: str, *whose: str) -> None:
    """Count one more towards the limit ``name`` of ``whose``.  Raises :class:`TooFast` where it is used up.

    Who is refused is only read, not written: a script that goes on hammering keeps no row busy and waits no longer.
    """
    strategy = FixedWindowRateLimiter(Counters())
    items: list[RateLimitItem] = settings.LIMITS[name]
    shut = [item for item in items if not strategy.test(item, name, *whose)]
    if not shut:
        shut = [item for item in items if not strategy.hit(item, name, *whose)]
    if shut:
        opens = max(strategy.get_window_stats(item, name, *whose).reset_time for item in shut)
        raise TooFast(name, max(1, math.ceil(opens - time.time())))


def check(name: str, *whose: str) -> None:
    """:func:`spend` without spending."""
    strategy = FixedWindowRateLimiter(Counters())
    for item in settings.LIMITS[name]:
        if not strategy.test(item, name, *whose):
            opens = strategy.get_window_stats(item, name, *whose).reset_time
            raise TooFast(name, max(1, math.ceil(opens - time.time())))


def charge(name: str, *whose: str, cost: int) -> None:
    """Count what is spent already, even beyond the limit."""
    strategy = FixedWindowRateLimiter(Counters())
    for item in settings.LIMITS[name]:
        strategy.hit(item, name, *whose, cost=cost)


def forgive(name: str, *whose: str) -> None:
    """Count from zero again."""
    strategy = FixedWindowRateLimiter(Counters())
    for item in settings.LIMITS[name]:
        strategy.clear(item, name, *whose)


def origin() -> str:
    """The name of the address that the request at hand comes from; empty outside of a request."""
    return _asking_from.get()


@contextmanager
def asking_from(where: str) -> Iterator[None]:
    """What is asked for inside is counted as coming from the address of that name."""
    token = _asking_from.set(where)
    try:
        yield
    finally:
        _asking_from.reset(token)


def new_guest() -> None:
    """Count a guest that is about to be made.  Raises :class:`TooFast`."""
    if where := origin():
        spend("guests", where)


def new_member() -> None:
    """Count somebody who is about to sign up.  Raises :class:`TooFast`."""
    if where := origin():
        spend("sign_ups", where)


def new_job(owner: AbstractBaseUser) -> None:
    """Count a job of ``owner``'s that is about to be queued.  Raises :class:`TooFast`."""
    if where := origin():
        spend("jobs", str(owner.pk))
        spend("jobs_address", where)


def new_upload(owner: AbstractBaseUser) -> None:
    """Count a picture that ``owner`` sends.  Raises :class:`TooFast`."""
    if where := origin():
        spend("uploads", str(owner.pk))
        spend("uploads_address", where)


def new_mask(owner: AbstractBaseUser) -> None:
    """Count a mask that ``owner`` has drawn: every stroke of the brush sends one.  Raises :class:`TooFast`."""
    if origin():
        spend("masks", str(owner.pk))


def decoding_for(turn: str) -> list[str]:
    """Who stands for a picture that somebody sends: who takes ``turn``s at the workers, and the address.

    Raises :class:`TooFast` when their pictures have cost too many seconds of computing lately.
    """
    parties = sorted({turn, origin()} - {""})
    for party in parties:
        check("decoding", party)
    return parties


def decoded(parties: Iterable[str], seconds: float) -> None:
    """Count what opening a picture has cost; less than a second is free."""
    for party in parties:
        if seconds >= 1 and origin():
            charge("decoding", party, cost=int(seconds))


def answer(request: HttpRequest, why: BadInput) -> HttpResponse:
    """429 with the sentence: plain to htmx, which shows it on the page, and a page of its own to a plain form."""
    if is_htmx(request):
        response = HttpResponse(str(why), status=429, content_type="text/plain; charset=utf-8")
    else:
        response = render(request, "429.html", {"why": str(why)}, status=429)
    response.headers["Retry-After"] = str(seconds_of(why))
    return response


def seconds_of(why: BadInput) -> int:
    """When to ask again: as the limit says, or soon, when some of one's own unfinished work may be done."""
    return why.retry_after if isinstance(why, TooFast) else 10


class Limited:
    """Middleware: knows where a request comes from, and says 429 where a limit stops a page's view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with asking_from(origin_of(request)):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer(request, error) if isinstance(error, TooFast) else None


def _said(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
