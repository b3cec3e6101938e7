"""What people made yesterday opens today as it did: a day's data of an earlier version, see ``tests/yesterday``.

Everything is asked for from outside: by address, JSON, SQL, command line and task name.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from tests.yesterday import asking
from tests.yesterday.reading import differences

pytestmark = pytest.mark.skipif(
    connections["default"].vendor != "sqlite", reason="the day was kept in an embedded database"
)


@contextlib.contextmanager
def opened(path: Path, blocker: Any) -> Iterator[None]:
    """The application works with the database at ``path``, in every thread."""
    connection = connections["default"]
    with blocker.unblock():
        connection.close()
        usual, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], str(path)
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = usual


def migrated(folder: Path, rows: str, blocker: Any) -> Path:
    path = asking.unpack(folder, rows)
    with opened(path, blocker):
        call_command("migrate", verbosity=0)
    return path


@pytest.fixture(scope="module")
def yesterday(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """The folder of the day's data, its database migrated."""
    folder = tmp_path_factory.mktemp("yesterday")
    migrated(folder, "rows.sql", django_db_blocker)
    return folder


@pytest.fixture
def day(yesterday: Path, tmp_path: Path, settings: Any, django_db_blocker: Any) -> Iterator[Path]:
    """The day, opened; what a test does to it is gone afterwards."""
    shutil.copytree(yesterday, tmp_path, dirs_exist_ok=True)
    settings.SECRET_KEY = (asking.DAY / "secret-key").read_text().strip()
    with opened(tmp_path / "toile.sqlite3", django_db_blocker):
        yield tmp_path


def rows(day: Path, query: str, *values: Any) -> list[Any]:
    with contextlib.closing(sqlite3.connect(day / "toile.sqlite3")) as database:
        return database.execute(query, values).fetchall()


def work(times: int) -> None:
    """Ring for the worker so often, by the name that messages in brokers bear."""
    from fashion_site.celery import app

    app.loader.import_default_modules()
    for _ in range(times):
        app.tasks["ml_backend.tasks.work"]("default")


# --- pages, files, lists --------------------------------------------------------------------------------------------


TICKED_BEFORE = [
    f"{who} at //fields/engine: 'dcgan' is not there any more, but ['drawn']" for who in ("nobody", "sara")
]
"""What is ticked in the studio of who has chosen nothing, decision 41: a suggestion, and nothing that anybody kept."""

TRAINED_SINCE = re.compile(r"at /api/v1/models/json/items/\d+/reference: '(\w+-starter)@\w{12}' became '\1@\w{12}'$")
"""A starter's weights may be newer than those of that day."""


@pytest.mark.parametrize("by", ["browser", "program"])
def test_every_address_tells_what_it_told(day, by):
    clients: dict[str, Any] = {}
    other = []
    for one in asking.kept("asked.json"):
        if one["by"] != by:
            continue
        client = clients.setdefault(one["who"], getattr(asking, by)(one["who"]))
        now = asking.look_at(client, one["address"])
        where = f"{one['who']} at {one['address']}"
        other += differences(one["answer"], now, where=where)
    assert [one for one in other if one not in TICKED_BEFORE and not TRAINED_SINCE.search(one)] == []


def test_a_password_of_yesterday_opens_the_account(day, settings):
    from django.conf import global_settings

    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    client, ana = asking.browser("nobody"), asking.kept("people.json")["ana"]
    client.post("/accounts/sign-in/", {"username": ana["username"], "password": ana["password"]})
    assert "ana" in client.get("/account/").content.decode()


# --- what is asked for ----------------------------------------------------------------------------------------------


def test_calls_and_forms_make_what_they_made(day):
    other = []
    clients = {"program": asking.program("ana"), "form": asking.browser("ana")}
    for one in asking.kept("calls.json"):
        form = one["by"] == "form"
        now = asking.call(clients[one["by"]], one["method"], one["address"], one["body"], form=form)
        other += differences(one["answer"], now, fresh=True, where=f"{one['by']} {one['address']} {one['body']}")
    assert other == []


@pytest.mark.parametrize("number", [0, 3, *(pytest.param(number, marks=pytest.mark.slow) for number in (1, 2))])
def test_command_lines_print_and_draw_what_they_did(number, tmp_path):
    one = asking.kept("commands.json")[number]
    assert list(differences(one["answer"], asking.shell(one["line"], tmp_path))) == []


def test_requests_of_the_library_are_read_as_they_were_written():
    requests = importlib.import_module("ml_backend.requests")
    for name, value in asking.kept("requests.json").items():
        now = getattr(requests, name.partition(" ")[0]).from_dict(value).to_dict()
        assert list(differences(value, now, where=name)) == []


def test_the_recipe_in_a_file_is_a_request(day):
    requests = importlib.import_module("ml_backend.requests")
    tiles = [one for one in asking.kept("asked.json") if one["address"].endswith("/files/tile?download")]
    assert {one["answer"]["recipe"]["engine"] for one in tiles} == {"dcgan", "drawn"}
    for one in tiles:
        recipe = dict(one["answer"]["recipe"])
        assert recipe.pop("made_with") == "Toile"
        wanted = requests.GenerateRequest.from_dict(recipe).to_dict()
        assert list(differences(recipe, wanted)) == []


def test_the_old_word_for_dreamed_is_understood_and_no_longer_said(day):
    program, browser = asking.program("ana"), asking.browser("ana")
    asked = {"pattern_type": "floral", "seed": 7, "engine": "dcgan"}
    (made,) = program.post("/api/v1/patterns", asked, content_type="application/json").json()["items"]
    assert made["engine"] == "dreamed"
    ((request,),) = rows(day, "SELECT request FROM ml_backend_job WHERE id = ?", made["job"].replace("-", ""))
    assert "dcgan" not in request
    assert {engine for (engine,) in rows(day, "SELECT engine FROM patterns_pattern")} == {"dreamed", "drawn"}
    everything = program.get("/api/v1/patterns?limit=100").json()["items"]
    assert {one["engine"] for one in everything} == {"dreamed", "drawn"}
    assert program.get("/api/v1/options").json()["pattern_engines"] == ["dreamed", "drawn"]
    assert asking.look_at(browser, "/?type=plaid&engine=dcgan")["fields"]["engine"] == ["dreamed"]
    page = browser.get(f"/gallery/{made['id']}/").content.decode()
    assert "--engine dreamed" in page
    wrong = program.post("/api/v1/patterns", {**asked, "engine": "loom"}, content_type="application/json").json()
    assert "choose one of dreamed, drawn" in wrong["error"]["message"]


def test_the_way_back_knows_the_old_word(day):
    call_command("migrate", "patterns", "0005", verbosity=0)
    assert {engine for (engine,) in rows(day, "SELECT engine FROM patterns_pattern")} == {"dcgan", "drawn"}
    call_command("migrate", verbosity=0)


# --- jobs -----------------------------------------------------------------------------------------------------------

QUICK = {"generate", "upscale", "wear", "mend"}
LONG = {"segment", "text-mask", "restyle", "imagine", "tap"}
"""Kinds of jobs that are done soon, and those for which large networks are loaded."""


def jobs(*states: str) -> list[dict[str, Any]]:
    return [job for job in asking.kept("jobs.json") if job["state"] in states]


def key(job: dict[str, Any]) -> str:
    return str(job["id"]).replace("-", "")


def test_jobs_stand_as_they_stood(day):
    now = {pk: (kind, state) for pk, kind, state in rows(day, "SELECT id, kind, state FROM ml_backend_job")}
    for job in jobs("done", "failed", "cancelled", "running", "queued"):
        assert now[key(job)] == (job["kind"], job["state"])


@pytest.mark.parametrize("kinds", [QUICK, pytest.param(LONG, marks=pytest.mark.slow)])
def test_what_waited_is_done_by_todays_worker(day, kinds):
    waiting = list({job["kind"]: job for job in reversed(jobs("queued")) if job["kind"] in kinds}.values())
    assert {job["kind"] for job in waiting} == kinds
    leave_only(day, waiting)
    work(len(waiting))
    assert not_done(day, waiting) == []


def test_what_a_worker_of_yesterday_was_at_is_taken_back(day):
    with contextlib.closing(sqlite3.connect(day / "toile.sqlite3")) as database, database:
        # Whenever this runs, the worker died a moment ago and the drafts of taps are not old enough to be swept away.
        database.execute("UPDATE ml_backend_job SET lease_until = datetime('now', '-1 minute') WHERE state = 'running'")
        database.execute("UPDATE studio_mask SET created_at = datetime('now')")
    call_command("sweep", verbosity=0)
    running = jobs("running")
    assert {job["kind"] for job in running} == QUICK | LONG
    states = dict(rows(day, "SELECT id, state FROM ml_backend_job"))
    assert {states[key(job)] for job in running} == {"queued"}
    quick = [job for job in running if job["kind"] in ("generate", "upscale")]
    leave_only(day, quick)
    work(len(quick))
    assert not_done(day, quick) == []


@pytest.mark.slow
def test_what_waits_for_another_job_comes_after_it(day):
    fabric, look = [
        next(job for job in reversed(jobs("queued")) if job["kind"] == kind) for kind in ("generate", "wear")
    ]
    leave_only(day, [fabric, look])
    work(1)
    assert [row[0] for row in not_done(day, [fabric, look])] == ["wear"]
    work(1)
    assert not_done(day, [fabric, look]) == []


def test_what_failed_or_was_cancelled_is_tried_again(day):
    ended = jobs("failed", "cancelled")
    assert {(job["kind"], job["state"]) for job in ended} >= {
        (kind, state) for kind in QUICK | LONG for state in ("failed", "cancelled")
    }
    for job in ended:
        try_again(job)
    quick = [job for job in ended if job["kind"] in ("generate", "upscale", "mend") and job["state"] == "failed"]
    leave_only(day, quick)
    work(len(quick))
    assert not_done(day, quick) == []


def try_again(job: dict[str, Any]) -> None:
    answer = asking.program(job["owner"]).post(f"/api/v1/jobs/{job['id']}/retry")
    assert (answer.status_code, answer.json().get("state")) == (200, "queued"), (job, answer.json())


def leave_only(day: Path, wanted: list[dict[str, Any]]) -> None:
    """All other jobs are for a worker of another queue; those of workers that died too, which a sweep takes back."""
    marks = ", ".join("?" for _ in wanted)
    aside = f"UPDATE ml_backend_job SET queue = 'training' WHERE state IN ('queued', 'running') AND id NOT IN ({marks})"
    with contextlib.closing(sqlite3.connect(day / "toile.sqlite3")) as database, database:
        database.execute(aside, [key(job) for job in wanted])


def not_done(day: Path, wanted: list[dict[str, Any]]) -> list[Any]:
    said = "SELECT kind, state, message FROM ml_backend_job WHERE id = ? AND state <> 'done'"
    return [row for job in wanted for row in rows(day, said, key(job))]


# --- longer ago -----------------------------------------------------------------------------------------------------


def test_a_look_of_before_outfits_opens_with_its_one_part(tmp_path, settings, django_db_blocker):
    path = migrated(tmp_path, "before-outfits.sql", django_db_blocker)
    settings.SECRET_KEY = (asking.DAY / "secret-key").read_text().strip()
    now = next(one for one in asking.kept("asked.json") if one["address"] == "/api/v1/looks?limit=100")
    ((pk,),) = rows(tmp_path, "SELECT id FROM studio_look")
    before = next(one for one in now["answer"]["json"]["items"] if key(one) == pk)
    with opened(path, django_db_blocker):
        client = asking.browser("ana")
        page = asking.look_at(client, f"/gallery/looks/{before['id']}/")
        stage = asking.look_at(client, f"/?look={before['id']}")
        file = asking.look_at(client, f"/files/looks/{before['id']}/file?download")
    assert file["recipe"]["overlay"]["scale_cm"] == 18.0
    assert page["status"] == 200
    assert stage["fields"]["pattern"] == [before["parts"][0]["pattern"]]
    assert stage["fields"]["scale_cm"] == ["18"]
