"""The site as a whole: what the web process imports, what production insists on, what every page carries."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from fashion_site.limits import MOST_ADDRESS, SENTENCE, TOO_MUCH_TEXT, limit_body
from fashion_site.secret import secret_key

ROOT = Path(__file__).resolve().parents[2]

PRODUCTION = {
    "TOILE_ALLOWED_HOSTS": "toile.example",
    "TOILE_SECRET_KEY": "k9#" * 25 + "abcdefghij",
}


def python(code: str, tmp_path: Path, **environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TOILE_", "DATABASE_URL"))}
    values = {**kept, "DJANGO_SETTINGS_MODULE": "fashion_site.settings", "TOILE_DATA_DIR": str(tmp_path), **environment}
    command = [sys.executable, "-W", "error::DeprecationWarning:fashion_site", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_web_process_never_imports_torch(tmp_path):
    code = """
import sys, fashion_site.asgi
from django.urls import get_resolver
def walk(patterns):
    for pattern in patterns:
        walk(pattern.url_patterns) if hasattr(pattern, "url_patterns") else pattern.callback
walk(get_resolver().url_patterns)
print([name for name in ("torch", "diffusers", "transformers", "pillow_heif") if name in sys.modules])
"""
    assert python(code, tmp_path).strip() == "[]"


def test_production_settings_pass_djangos_own_inspection(tmp_path):
    code = """
import django; django.setup()
from django.core.management import call_command
call_command("check", deploy=True, fail_level="WARNING")
"""
    python(code, tmp_path, **PRODUCTION)


def test_naming_a_host_means_https_with_hashed_files(tmp_path):
    code = """
import json
from django.conf import settings
names = ("DEBUG", "LOCAL", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "ALLOWED_HOSTS")
print(json.dumps({**{n: getattr(settings, n) for n in names}, "static": settings.STORAGES["staticfiles"]["BACKEND"]}))
"""
    public = json.loads(python(code, tmp_path, **PRODUCTION))
    assert public == {
        "DEBUG": False,
        "LOCAL": False,
        "SECURE_SSL_REDIRECT": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "ALLOWED_HOSTS": ["toile.example"],
        "static": "whitenoise.storage.CompressedManifestStaticFilesStorage",
    }
    home = json.loads(python(code, tmp_path, TOILE_ALLOWED_HOSTS="192.168.1.7", TOILE_HTTPS="0"))
    assert (home["SECURE_SSL_REDIRECT"], home["static"].rpartition(".")[2]) == (False, "StaticFilesStorage")
    local = json.loads(python(code, tmp_path))
    assert (local["DEBUG"], local["SECURE_SSL_REDIRECT"]) == (False, False)
    assert local["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]


def test_a_bucket_means_private_s3(tmp_path):
    code = """
import django; django.setup()
from django.core.files.storage import default_storage as s
print(type(s._wrapped if s._wrapped else s).__name__) if s.bucket_name else None
print(s.querystring_auth, s.file_overwrite, s.default_acl, s.endpoint_url)
print(s.url("photos/x/image.jpg").startswith("https://s3.example/toile/photos/x/image.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256"))
from fashion_site.csp import policy
print("https://s3.example" in policy())
"""
    out = python(
        code,
        tmp_path,
        TOILE_S3_BUCKET="toile",
        TOILE_S3_ENDPOINT="https://s3.example",
        TOILE_S3_REGION="eu-central-1",
        TOILE_S3_ACCESS_KEY="a",
        TOILE_S3_SECRET_KEY="b",
    )
    assert out.splitlines() == ["S3Storage", "True False None https://s3.example", "True", "True"]


def test_an_empty_folder_in_the_environment_counts_as_none(tmp_path):
    code = "from django.conf import settings as s; print(s.DATA_DIR, s.STATIC_ROOT)"
    assert python(code, tmp_path, TOILE_DATA_DIR="", TOILE_STATIC_ROOT="").split() == [
        str(ROOT / "var"),
        str(ROOT / "var" / "static"),
    ]


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path):
    path = tmp_path / "secret-key"
    first = secret_key(path)
    assert len(first) > 50
    assert secret_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_every_page_carries_the_policy(client: Client):
    policy = client.get("/accounts/sign-in/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.django_db
def test_the_policy_is_there_for_async_handlers_too(async_client):
    async def ask() -> str:
        answer = await async_client.get("/accounts/sign-in/")
        return answer["Content-Security-Policy"]

    assert "script-src 'self';" in asyncio.run(ask())


@pytest.mark.django_db
def test_the_admin_shows_models_but_nobodys_work(client_of, staff, person):
    client = client_of(staff)
    assert client.get("/admin/ml_backend/modelversion/").status_code == 200
    for path in ("ml_backend/job", "studio/photo", "studio/look", "patterns/pattern"):
        assert client.get(f"/admin/{path}/").status_code == 404
    assert client_of(person).get("/admin/").status_code == 302


# --- the limit on bodies ------------------------------------------------------------------------------------------


FORM = b"multipart/form-data; boundary=x"
TEXT = 20
"""The limit of a body that carries no files, in these tests."""


def ask(
    messages: list[bytes],
    most: int,
    declared: int | None = None,
    path: str = "/",
    *,
    kind: bytes = FORM,
    query: bytes = b"",
    left: list[bytes] | None = None,
) -> tuple[int, bytes, int]:
    """(status, body, bytes the application got) of an application that reads a body of ``messages``."""
    got = 0
    sent: list[dict[str, object]] = []
    waiting = list(messages) if left is None else left
    waiting[:] = messages

    async def application(scope, receive, send):
        nonlocal got
        while True:
            message = await receive()
            got += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive():
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", kind)]
    headers += [(b"content-length", str(declared).encode())] if declared is not None else []
    scope = {"type": "http", "path": path, "raw_path": path.encode(), "query_string": query, "headers": headers}
    asyncio.run(limit_body(application, most, TEXT)(scope, receive, send))
    return int(str(sent[0]["status"])), bytes(sent[1]["body"]), got  # type: ignore[call-overload]


def test_a_body_within_the_limit_passes():
    assert ask([b"x" * 50, b"x" * 50], 100, 100) == (200, b"ok", 100)


def test_a_declared_body_beyond_the_limit_is_not_read():
    assert ask([b"x" * 200], 100, 200) == (413, SENTENCE.encode(), 0)


def test_a_streamed_body_stops_at_the_limit():
    status, body, got = ask([b"x" * 60, b"x" * 60, b"x" * 60], 100)
    assert (status, body, got) == (413, SENTENCE.encode(), 60)


@pytest.mark.parametrize("declared", [None, 21])
def test_a_body_without_files_has_a_small_limit_of_its_own(declared):
    for kind in (b"application/json", b"application/x-www-form-urlencoded", b""):
        status, body, _ = ask([b"x" * 15, b"x" * 6], 100, declared, kind=kind)
        assert (status, body) == (413, TOO_MUCH_TEXT.encode())
    assert ask([b"x" * 15, b"x" * 5], 100, 20, kind=b"application/json") == (200, b"ok", 20)


def test_who_still_sends_hears_the_answer():
    """The rest is read and dropped; otherwise the connection would close upon the sender, and the answer with it."""
    left: list[bytes] = []
    assert ask([b"x" * 60] * 9, 100, 540, left=left)[0] == 413
    assert left == []
    assert ask([b"x" * 101], 100, left=left)[0] == 413, "nothing more is waited for after the end"


def test_an_address_has_a_limit_too():
    assert ask([b""], 100, path="/" + "a" * MOST_ADDRESS)[0] == 414
    assert ask([b""], 100, query=b"q=" + b"a" * MOST_ADDRESS)[0] == 414
    assert ask([b""], 100, query=b"q=" + b"a" * 12_000)[0] == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain; charset=rot13",
        "a/b; charset=undefined",
        "a/b; charset=utf-7",
        "a/b; charset*=rot13''%41",
        "a; charset=",
    ],
)
def test_another_encoding_than_utf8_is_refused_before_django_tries_it(kind):
    status, body, got = ask([b"x"], 100, kind=kind.encode(), path="/api/v1/photos")
    assert (status, got, json.loads(body)["error"]["code"]) == (415, 0, "malformed")
    assert ask([b"x"], 100, kind=b"text/plain; charset=UTF-8")[0] == 200


def test_the_api_hears_of_the_limit_in_json():
    status, body, _ = ask([b"x" * 200], 100, 200, "/api/v1/photos")
    assert (status, json.loads(body)) == (413, {"error": {"code": "too_large", "message": SENTENCE}})
