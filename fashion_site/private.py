"""The data folder, readable by its owner only: it holds people's photos, their rows and the key of their sessions."""

import contextlib
import os
import stat
from pathlib import Path

SECRETS = ("secret-key", "*.sqlite3", "*.sqlite3-*", "beat-schedule*")
"""Files in the data folder that were readable by everybody before, or are written by libraries that make them so."""


def keep_private(folder: Path) -> None:
    """Make the folder if need be, and take it and what it holds from everybody but its owner.

    A folder or file of another account's is left as it is: only its owner can change it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _take_back(folder)
    for pattern in SECRETS:
        for path in folder.glob(pattern):
            _take_back(path)


def made_private(path: Path) -> Path:
    """``path``, of mode 0600, and empty where there was none: SQLite gives its side files the mode of the database."""
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    _take_back(path)
    return path


def _take_back(path: Path) -> None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
            return
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            path.chmod(mode & ~0o077)
