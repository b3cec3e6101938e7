"""The secret key of an installation that was given none."""

import os
import secrets
from pathlib import Path


def secret_key(path: Path) -> str:
    """The key in ``path``, made at the first call and readable by the owner only.

    Web and worker may start together: the file is created exclusively under another name and then linked, so both read
    the same whole key.
    """
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64), encoding="ascii")
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # the other process was first; its key is the key
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii").strip()
