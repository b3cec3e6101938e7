"""Where a request comes from: the network address that limits are counted by."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HOME_BITS = 64
"""What a provider gives to one home: an IPv6 address may be any of its own 2^64."""


@dataclass(frozen=True)
class Proxies:
    """Who may say where a request comes from: so many ``hops``, or whoever is in one of the ``networks``."""

    hops: int = 0
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, words: Sequence[str]) -> Proxies:
        """From ``["1"]`` or ``["10.0.0.0/8", "::1"]``.  Raises :class:`ValueError` for anything else."""
        given = [word.strip() for word in words if word.strip()]
        if len(given) == 1 and given[0].isdigit():
            return cls(hops=int(given[0]))
        return cls(networks=tuple(ipaddress.ip_network(word) for word in given))

    def client(self, remote: str, forwarded: str) -> Address | None:
        """Who asked first, as far as those who are trusted say; None where nobody knows.

        ``remote`` is who is connected; ``forwarded`` is ``X-Forwarded-For``, to which each proxy adds on the right who
        was connected to it.  What stands left of the last trusted entry may be made up and is not read.
        """
        chain = [_parsed(word) for word in forwarded.split(",")] if forwarded.strip() else []
        chain.append(_parsed(remote))
        if self.hops:
            return chain[max(0, len(chain) - 1 - self.hops)] or chain[-1]
        at = chain[-1]
        for before in reversed(chain[:-1]):
            if at is None or before is None or not any(_within(at, network) for network in self.networks):
                break
            at = before
        return at


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _parsed(word: str) -> Address | None:
    """An address, with or without brackets and port; an IPv4 address in IPv6 clothes is the IPv4 address."""
    text = word.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def origin_of(request: HttpRequest) -> str:
    """A name for the address that a request comes from, of 24 hexadecimal digits; the address cannot be told from it.

    All addresses of one IPv6 home (a /64) have one name, and so has everybody whose address is not known.
    """
    proxies = _trusted(tuple(settings.TRUSTED_PROXIES))
    return name_of(proxies.client(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")))


@functools.cache
def _trusted(words: tuple[str, ...]) -> Proxies:
    return Proxies.read(words)


def name_of(client: Address | None) -> str:
    """See :func:`origin_of`."""
    where = str(client)
    if isinstance(client, ipaddress.IPv6Address):
        where = str(ipaddress.ip_network((client, HOME_BITS), strict=False))
    return salted_hmac("toile.address", where, algorithm="sha256").hexdigest()[:24]
