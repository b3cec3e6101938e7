"""Asking an endpoint that paints elsewhere: patient where that helps, bounded everywhere.

What it answers decides who is at fault: :class:`Away` where nothing is wrong with what was asked, so the same may work
later; :class:`BadInput` where it refuses what was asked; :class:`BadPackage` where it answers what is no picture.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from ..errors import Away, BadInput, BadPackage, Stopped, quoted
from ..packaging.header import strict_json
from .inference import Unanswerable, decoded

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

ShouldStop = Callable[[], bool]

ATTEMPTS = 3
FIRST_PAUSE = 0.5
"""Seconds before the second attempt; it doubles."""
MOST_PAUSE = 10.0
"""Seconds that are waited where an endpoint says itself when to come back."""
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.25
"""How often somebody who waits looks whether the work is still wanted."""
MAX_ANSWER = 64 * 1024 * 1024
"""Bytes; a picture of 2048 pixels has about 10 MB as base64 of a PNG."""
_CHUNK = 1024 * 1024
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of trouble that may be over in a moment."""
_SETTING = frozenset({401, 403, 404, 405, 407})
"""Statuses by which a mistake in how the site names the endpoint shows; no job can help that."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Answer:
    """What came back: an HTTP status, the body, and after how many seconds to ask again, if that was said."""

    status: int
    body: bytes
    after: float | None = None


class Call(Protocol):
    """One exchange, made in a thread of its own."""

    def run(self, body: bytes) -> Answer:
        """Raises :class:`OSError` or :class:`http.client.HTTPException` where nobody answers."""

    def cut(self) -> None:
        """End it from another thread; nobody waits for it any more."""


class Breaker:
    """Spares an endpoint that failed several times in a row: nobody asks for a while, then one asks first."""

    def __init__(self, failures: int = 3, rest: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.failures, self.rest, self._clock = failures, rest, clock
        self._lock = threading.Lock()
        self._failed, self._until = 0, 0.0

    def check(self) -> None:
        """Raises :class:`Away` while nobody may ask."""
        with self._lock:
            now = self._clock()
            if now < self._until:
                raise Away("The endpoint did not answer just now, and is left alone for a moment.")
            if self._failed >= self.failures:
                self._until = now + self.rest  # whoever comes next waits for what this one meets

    def note(self, worked: bool) -> None:
        with self._lock:
            self._failed = 0 if worked else self._failed + 1
            self._until = self._clock() + self.rest if self._failed >= self.failures else 0.0


class Endpoint:
    """Something elsewhere that answers as :mod:`.inference` says, by the name of the model that it runs.

    ``begin`` makes a call; ``seconds`` is how long one may take altogether.  ``extras`` False sends what every endpoint
    of this kind knows and no more: no seed, strength, words to avoid, nor sides that differ.
    """

    def __init__(
        self,
        name: str,
        begin: Callable[[], Call],
        *,
        seconds: float = 60.0,
        extras: bool = True,
        breaker: Breaker | None = None,
    ) -> None:
        self.name, self.begin, self.seconds, self.extras = name, begin, seconds, extras
        self.breaker = breaker or Breaker()

    def paint(
        self, asked: Mapping[str, Any], extras: Mapping[str, Any], should_stop: ShouldStop | None = None
    ) -> tuple[Image, bool]:
        """One picture (RGB), and whether the endpoint's own check blackened it.

        Raises :class:`Away`, :class:`BadInput`, :class:`BadPackage`, or ``Stopped`` within a moment of being asked to.
        """
        body = {**asked, "num_images_per_prompt": 1, **(extras if self.extras else {})}
        answer = self.ask({name: value for name, value in body.items() if value is not None}, should_stop)
        pictures, flagged = answer.get("generated_images"), answer.get("flagged")
        if not isinstance(pictures, list) or not pictures:
            raise self._no_picture("it holds no generated_images")
        why = ""
        try:
            return decoded(pictures[0], "RGB"), isinstance(flagged, list) and bool(flagged[:1] == [True])
        except Unanswerable as error:
            why = str(error)
        raise self._no_picture(why)

    def ask(self, asked: Mapping[str, Any], should_stop: ShouldStop | None = None) -> dict[str, Any]:
        """What it answers, a JSON object; a passing trouble is tried again.  Raises as :meth:`paint` does."""
        self.breaker.check()
        try:
            answer = self._answer(json.dumps(asked).encode(), should_stop or (lambda: False))
        except Away:
            self.breaker.note(False)
            raise
        self.breaker.note(True)
        return self._read(answer)

    def _answer(self, body: bytes, should_stop: ShouldStop) -> Answer:
        for attempt in range(1, ATTEMPTS + 1):
            answer, why = self._tried(body, should_stop)
            if answer is not None and answer.status not in _AGAIN:
                return self._checked(answer)
            log.warning("The endpoint of %s, attempt %s of %s: %s", self.name, attempt, ATTEMPTS, why)
            if attempt < ATTEMPTS:
                pause = FIRST_PAUSE * 2.0 ** (attempt - 1)
                if answer is not None and answer.after is not None:
                    pause = min(max(answer.after, 0.0), MOST_PAUSE)
                _wait(pause, should_stop)
        raise Away(f"The endpoint of {self.name} does not answer: {why}.")

    def _tried(self, body: bytes, should_stop: ShouldStop) -> tuple[Answer | None, str]:
        """One attempt: the answer, else why there is none.  One that takes too long is not made again."""
        try:
            answer = _patiently(self.begin(), body, self.seconds, should_stop)
        except TimeoutError:
            pass
        except (OSError, http.client.HTTPException) as error:
            return None, type(error).__name__
        else:
            return answer, f"status {answer.status}"
        raise Away(f"The endpoint of {self.name} did not answer within {self.seconds:g} seconds.")

    def _checked(self, answer: Answer) -> Answer:
        if answer.status in _SETTING or 300 <= answer.status < 400 or answer.status >= 500:
            raise Away(f"The endpoint of {self.name} cannot be used as it is set up: it answers {answer.status}.")
        if answer.status >= 400:
            raise BadInput(f"The endpoint of {self.name} refuses this: {_sentence(answer)}")
        return answer

    def _read(self, answer: Answer) -> dict[str, Any]:
        try:
            value = strict_json(answer.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise self._no_picture("it is no JSON object")
        return value

    def _no_picture(self, why: str) -> BadPackage:
        return BadPackage(
            f"The endpoint of {self.name} answered with what is no picture: {why}. "
            "Nothing of yours is lost; please choose another model, or tell whoever runs this site."
        )


def _patiently(call: Call, body: bytes, seconds: float, should_stop: ShouldStop) -> Answer:
    """The answer; raises what the call raises, ``TimeoutError`` after ``seconds``, ``Stopped`` when asked."""
    came: list[Answer] = []
    broke: list[Exception] = []

    def work() -> None:
        try:
            came.append(call.run(body))
        except Exception as error:
            broke.append(error)

    thread = threading.Thread(target=work, name="endpoint", daemon=True)
    until = time.monotonic() + seconds
    thread.start()
    while True:
        thread.join(LOOK_SECONDS)
        if not thread.is_alive():
            break
        stopped = should_stop()
        if stopped or time.monotonic() > until:
            call.cut()
            raise Stopped("Stopped as asked.") if stopped else TimeoutError
    if broke:
        raise broke[0]
    return came[0]


def _wait(seconds: float, should_stop: ShouldStop) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if should_stop():
            raise Stopped("Stopped as asked.")
        time.sleep(min(left, LOOK_SECONDS))


def _sentence(answer: Answer) -> str:
    """What the endpoint says of its refusal, short and on one line."""
    try:
        said = strict_json(answer.body[:_CHUNK])
    except ValueError:
        said = answer.body[:_CHUNK].decode(errors="replace").strip()
        said = None if said.startswith("<") else said
    if isinstance(said, dict):
        said = next((said[name] for name in ("error", "message", "detail") if isinstance(said.get(name), str)), None)
    if not isinstance(said, str) or not said.strip():
        return f"status {answer.status}."
    return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:300]


# --- over HTTP ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where an endpoint is: a URL that was looked at.  ``trusted`` hosts may lie anywhere."""

    scheme: str
    host: str
    port: int
    path: str
    trusted: bool

    @classmethod
    def parse(cls, url: object, allowed: Collection[str] = ()) -> Place:
        """``https`` anywhere, ``http`` on this machine; hosts of ``allowed`` (``*``: all) by either, wherever they are.

        Raises :class:`BadInput`, also for names, passwords and queries in the URL: secrets do not belong there.
        """
        try:
            parts = urlsplit(url) if isinstance(url, str) and len(url) <= 500 and url.isprintable() else None
            host, port = (parts.hostname or "", parts.port) if parts else ("", None)
        except ValueError:
            parts = None
        if parts is None or parts.scheme not in ("http", "https") or not host or " " in parts.path:
            raise BadInput(f"{quoted(url)} is not the address of an endpoint; write https://HOST/invocations.")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise BadInput("The address of an endpoint holds no name, password or query; name its token instead.")
        trusted = "*" in allowed or host in {name.lower() for name in allowed}
        if parts.scheme == "http" and not trusted and host not in LOOPBACK:
            raise BadInput(f"{host} is asked over https only; TOILE_ENDPOINT_HOSTS names hosts that are trusted.")
        return cls(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.path or "/", trusted)

    def address(self) -> str:
        """The IP address to speak to.  Raises :class:`BadPackage` for one inside the house that nobody allowed."""
        found = {str(each[4][0]) for each in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)}
        for address in sorted(found):
            at = ip_address(address.partition("%")[0])
            if not self.trusted and not (at.is_loopback if self.host in LOOPBACK else at.is_global):
                raise BadPackage(
                    f"The endpoint at {self.host} lies inside a private network; whoever runs this site can allow it "
                    "with TOILE_ENDPOINT_HOSTS."
                )
        return min(found, key=lambda address: (":" in address, address))


class HttpCall:
    """A POST to a place.  Redirects are not followed, and the address that was looked at is the one spoken to."""

    def __init__(self, place: Place, seconds: float, token: str = "") -> None:
        self.place = place
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self._connection = _Connection(place, seconds)

    def run(self, body: bytes) -> Answer:
        try:
            self._connection.request("POST", self.place.path, body, self.headers)
            with self._connection.getresponse() as response:
                data = bytearray()
                while part := response.read1(_CHUNK):
                    data += part
                    if len(data) > MAX_ANSWER:
                        raise BadPackage(f"The endpoint answers with more than {MAX_ANSWER} bytes; that is no picture.")
                if response.length:
                    raise ConnectionError("the answer broke off")
            after = response.headers.get("Retry-After", "")
            return Answer(response.status, bytes(data), float(after) if after.isascii() and after.isdigit() else None)
        finally:
            self._connection.close()

    def cut(self) -> None:
        self._connection.cut()


class _Connection(http.client.HTTPConnection):
    def __init__(self, place: Place, seconds: float) -> None:
        super().__init__(place.host, place.port, timeout=seconds)
        self.place = place

    def connect(self) -> None:
        plain = socket.create_connection((self.place.address(), self.place.port), CONNECT_SECONDS)
        plain.settimeout(self.timeout)
        if self.place.scheme == "http":
            self.sock = plain
            return
        try:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.place.host)
        except OSError:
            plain.close()
            raise

    def cut(self) -> None:
        """Whoever reads from it in another thread finds it closed."""
        sock = self.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("It had ended already.")
