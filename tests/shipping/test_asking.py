"""Asking an endpoint: whose fault each answer is, how long is waited, and where nobody is asked."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from ml_backend.errors import Away, BadInput, BadPackage, Stopped
from ml_backend.serving import faults
from ml_backend.shipping import asking
from ml_backend.shipping.asking import Breaker, Endpoint, HttpCall, Place
from tests.shipping.asked import asked

BODY = asked(num_images_per_prompt=None)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(asking, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(asking, "LOOK_SECONDS", 0.02)


def endpoint_at(url, *, seconds=10.0, token="", **options):
    place = Place.parse(url)
    return Endpoint("tiny", lambda: HttpCall(place, seconds, token), seconds=seconds, **options)


@pytest.fixture
def endpoint(there):
    return endpoint_at(there.url)


def test_it_paints_and_is_asked_for_one_picture(there, endpoint):
    image, flagged = endpoint.paint(BODY, {"seed": 7, "negative_prompt": None})
    assert (image.size, image.mode, flagged) == ((64, 64), "RGB", False)
    assert there.asked == [{**BODY, "num_images_per_prompt": 1, "seed": 7}]
    assert there.tokens == [""]


def test_a_plain_endpoint_is_asked_by_the_contracts_own_words(there):
    endpoint_at(there.url, extras=False, token="s3wing-kit").paint(BODY, {"seed": 7})
    assert there.asked == [{**BODY, "num_images_per_prompt": 1}]
    assert there.tokens == ["Bearer s3wing-kit"]


def test_it_tells_what_its_own_check_blackened(there, endpoint):
    there.flagged = True
    assert endpoint.paint(BODY, {})[1] is True


@pytest.mark.parametrize("fault", ["500", "503", "429", "hang up", "garbage", "cut"])
def test_passing_trouble_is_tried_again(there, endpoint, fault):
    there.faults = [fault, fault]
    assert endpoint.paint(BODY, {})[0].size == (64, 64)
    assert len(there.asked) == 3


@pytest.mark.parametrize(
    ("fault", "tried"),
    [("500", 3), ("503", 3), ("hang up", 3), ("garbage", 3), ("cut", 3), ("401", 1), ("404", 1), ("redirect", 1)],
)
def test_trouble_that_stays_is_no_fault_of_the_work(there, endpoint, fault, tried):
    there.always = fault
    with pytest.raises(Away, match="endpoint of tiny") as raised:
        endpoint.paint(BODY, {})
    assert faults.outage(raised.value) is faults.Outage.ENDPOINT
    assert len(there.asked) == tried


@pytest.mark.parametrize("fault", ["no json", "a list", "deep", "nothing", "no picture", "a number"])
def test_what_is_no_picture_is_the_models_fault(there, endpoint, fault):
    there.always = fault
    with pytest.raises(BadPackage, match="no picture") as raised:
        endpoint.paint(BODY, {})
    assert faults.outage(raised.value) is None, "nobody waits for that to pass"
    assert len(there.asked) == 1


def test_an_answer_has_a_bound(there, endpoint, monkeypatch):
    monkeypatch.setattr(asking, "MAX_ANSWER", 3 * 1024 * 1024)
    there.always = "huge"
    with pytest.raises(BadPackage, match="more than 3145728 bytes") as raised:
        endpoint.paint(BODY, {})
    assert faults.outage(raised.value) is None
    assert there.gone.wait(5), "the rest is not read"


@pytest.mark.parametrize(
    ("fault", "says"), [("400", "Too blue for us."), ("409", "Not while the kettle boils."), ("422", "status 422.")]
)
def test_a_refusal_is_repeated_shortly(there, endpoint, fault, says):
    there.always = fault
    with pytest.raises(BadInput) as raised:
        endpoint.paint(BODY, {})
    assert str(raised.value) == f"The endpoint of tiny refuses this: {says}"
    assert faults.outage(raised.value) is None
    assert len(there.asked) == 1


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_slow_answer_is_not_waited_for_and_not_asked_again(there, fault):
    there.always = fault
    begun = time.monotonic()
    with pytest.raises(Away, match=r"within 0\.3 seconds") as raised:
        endpoint_at(there.url, seconds=0.3).paint(BODY, {})
    assert time.monotonic() - begun < 3
    assert faults.outage(raised.value) is faults.Outage.ENDPOINT
    assert len(there.asked) == 1
    assert there.gone.wait(5), "the connection is closed"


def test_nobody_there_is_away():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/invocations"
    with pytest.raises(Away, match="ConnectionRefusedError"):
        endpoint_at(url).paint(BODY, {})


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_who_is_told_to_stop_waits_no_longer(there, endpoint, fault):
    there.always = fault
    with pytest.raises(Stopped):
        endpoint.paint(BODY, {}, there.begun.is_set)
    assert there.gone.wait(5), "and hangs up"
    there.always = ""
    assert endpoint.paint(BODY, {})[0], "that was no failure of the endpoint"


def test_who_is_told_to_stop_does_not_wait_for_the_next_attempt(there, endpoint, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_PAUSE", 60.0)
    there.always = "hang up"
    with pytest.raises(Stopped):
        endpoint.paint(BODY, {}, there.begun.is_set)
    assert len(there.asked) == 1


# --- the breaker --------------------------------------------------------------------------------------------------


def test_an_endpoint_that_keeps_failing_is_left_alone_then_asked_by_one(there):
    now = [0.0]
    endpoint = endpoint_at(there.url, breaker=Breaker(2, 30.0, lambda: now[0]))
    there.always = "401"
    for _ in range(2):
        with pytest.raises(Away):
            endpoint.paint(BODY, {})
    with pytest.raises(Away, match="left alone"):
        endpoint.paint(BODY, {})
    assert len(there.asked) == 2, "it was not asked"
    now[0] = 31.0
    there.always = "hang"
    there.begun.clear()

    def ask_in_vain():
        with pytest.raises(Away):
            endpoint.paint(BODY, {})

    first = threading.Thread(target=ask_in_vain)
    first.start()
    assert there.begun.wait(5)
    with pytest.raises(Away, match="left alone"):
        endpoint.paint(BODY, {})
    there.always = "401"
    there.may.set()
    first.join(20)
    with pytest.raises(Away, match="left alone"):
        endpoint.paint(BODY, {})
    now[0] = 62.0
    there.always = ""
    for _ in range(2):
        assert endpoint.paint(BODY, {})[0]


def test_refusals_and_garbage_do_not_open_it(there):
    endpoint = endpoint_at(there.url, breaker=Breaker(1, 30.0))
    there.faults = ["400", "no json"]
    for error in (BadInput, BadPackage):
        with pytest.raises(error):
            endpoint.paint(BODY, {})
    assert endpoint.paint(BODY, {})[0]


# --- where --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example/invocations",
        "https://models.example:8443/invocations",
        "http://127.0.0.1:8080/invocations",
        "http://localhost/invocations",
        "http://[::1]:8080/invocations",
    ],
)
def test_https_and_this_machine_may_be_named(url):
    assert Place.parse(url).path == "/invocations"


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example/invocations",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.example/",
        "file:///etc/passwd",
        "ftp://models.example/",
        "https://",
        "https:///invocations",
        "https://ana:secret@models.example/",
        "https://models.example/invocations?key=secret",
        "https://models.example/invocations#here",
        "https://models.example:99999/",
        "https://models.example/in vocations",
        "https://models.example/\r\nX-Header: 1",
        "https://[::1/",
        "models.example",
        "",
        None,
        7,
        "https://" + "a" * 600,
    ],
)
def test_other_addresses_are_refused(url):
    with pytest.raises(BadInput) as raised:
        Place.parse(url)
    assert "secret" not in str(raised.value)


def test_hosts_that_the_site_trusts_may_be_asked_by_http():
    assert Place.parse("http://painter.internal/", ["Painter.internal"]).trusted
    assert Place.parse("http://painter.internal/", ["*"]).trusted
    with pytest.raises(BadInput, match="TOILE_ENDPOINT_HOSTS"):
        Place.parse("http://other.internal/", ["painter.internal"])


@pytest.mark.parametrize(
    ("url", "resolved", "allowed"),
    [
        ("https://models.example/", "10.0.0.7", False),
        ("https://models.example/", "169.254.169.254", False),
        ("https://models.example/", "127.0.0.1", False),
        ("https://models.example/", "::1", False),
        ("https://models.example/", "::ffff:10.0.0.7", False),
        ("https://models.example/", "fe80::1%eth0", False),
        ("https://models.example/", "93.184.215.14", True),
        ("http://localhost/", "127.0.0.1", True),
        ("http://localhost/", "10.0.0.7", False),
    ],
)
def test_the_address_that_a_name_leads_to_is_looked_at(monkeypatch, url, resolved, allowed):
    def look_up(host, port, **_):
        family = socket.AF_INET6 if ":" in resolved else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (resolved, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    if allowed:
        assert Place.parse(url).address() == resolved
    else:
        with pytest.raises(BadPackage, match="TOILE_ENDPOINT_HOSTS"):
            Place.parse(url).address()
        assert Place.parse(url, ["models.example", "localhost"]).address() == resolved, "unless the site says so"


def test_nothing_is_sent_to_an_address_inside_the_house(there, monkeypatch):
    """Not even where the name led elsewhere when it was looked at first."""
    place = Place("https", "models.example", there.port, "/", False)
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    )
    with pytest.raises(BadPackage):
        Endpoint("tiny", lambda: HttpCall(place, 5.0)).paint(BODY, {})
    assert not there.asked
