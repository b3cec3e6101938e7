"""What lies in the data folder is its owner's only, from the first start on, and in folders of before."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fashion_site.private import keep_private, made_private

from .test_site import python

START = """
import django, os
os.umask(0o022)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
default_storage.save("photos/x/image.png", ContentFile(b"x"))
from django.db import connection
connection.cursor().execute("select 1")
from fashion_site.celery import app
with app.connection_for_write() as broker:
    broker.default_channel.queue_declare("default")
"""


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def test_a_start_makes_nothing_that_others_can_read(tmp_path):
    home = tmp_path / "data"
    python(START, home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    found = modes(home)
    assert {"secret-key", "toile.sqlite3", "broker.sqlite3", "files/photos/x/image.png"} <= set(found)
    inside = {name: mode for name, mode in found.items() if name != "static"}
    assert not {name: oct(mode) for name, mode in inside.items() if mode & 0o077 and name != "files"}


def test_a_folder_of_before_is_tightened_at_the_next_start(tmp_path):
    home = tmp_path / "data"
    python(START, home)
    home.chmod(0o755)
    for name in ("secret-key", "toile.sqlite3", "broker.sqlite3"):
        (home / name).chmod(0o644)
    (home / "toile.sqlite3-wal").touch(mode=0o644)
    python("import django; django.setup()", home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    found = modes(home)
    assert {found[name] for name in ("secret-key", "toile.sqlite3", "broker.sqlite3", "toile.sqlite3-wal")} == {0o600}


def test_a_database_elsewhere_is_private_too(tmp_path):
    elsewhere = tmp_path / "elsewhere.sqlite3"
    elsewhere.touch(mode=0o644)
    python("import django; django.setup()", tmp_path / "data", DATABASE_URL=f"sqlite:///{elsewhere}")
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600


def test_links_and_what_is_not_there_are_left_alone(tmp_path):
    target = tmp_path / "target"
    target.touch(mode=0o644)
    home = tmp_path / "data"
    keep_private(home)
    (home / "secret-key").symlink_to(target)
    keep_private(home)
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert not made_private(tmp_path / "nowhere" / "x").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give a folder away")
def test_somebody_elses_folder_is_left_as_it_is(tmp_path):
    home = tmp_path / "data"
    home.mkdir(mode=0o755)
    os.chown(home, 65534, 65534)
    keep_private(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o755
