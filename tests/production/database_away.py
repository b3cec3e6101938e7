"""A site whose PostgreSQL is away or frozen; run by ``test_production.py`` in a process of its own.

``python -m tests.production.database_away`` serves the site's pages to a test client while the server at the address in
``DATABASE_URL`` comes and goes; it is told what to ask for by lines on its standard input, and answers with lines.
"""

from __future__ import annotations

import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402


def main() -> None:
    client = Client(raise_request_exception=False)
    for line in sys.stdin:
        path, *htmx = line.split()
        headers = {"HX-Request": "true"} if htmx else {"Authorization": f"Bearer toile_{'x' * 40}"}
        connection.close()  # as between two requests of a server
        begun = time.monotonic()
        answer = client.get(path, headers=headers)
        told = any(words in answer.content for words in (b"does not answer just now", b'"unavailable"'))
        took, again = round(time.monotonic() - begun, 1), answer.headers.get("Retry-After", 0)
        sys.stdout.write(f"{answer.status_code} {took} {again} {'told' if told else 'silent'}\n")
        sys.stdout.flush()


main()
