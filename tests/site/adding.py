"""Follows a list of CONTRIBUTING in a copy of the project: what the list names is touched, and nothing else is.

An addition is a folder of ``additions``: ``tree`` holds the files that are new, ``lines.json`` what is written into
those that are there (path -> pairs of a text and what follows it from then on), ``look.py`` prints as JSON what has
come of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ADDITIONS = Path(__file__).parent / "additions"
ROOMS = ("ml_backend", "patterns", "studio", "fashion_site", "templates")
LINKED = (Path("ml_backend/weights"), Path("static"), Path("script"))
"""Large, and nothing that an addition may change."""
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.toml)`")


def steps(heading: str) -> str:
    """The list of CONTRIBUTING under that heading."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"## {heading}\n" in text, f"CONTRIBUTING has no list “{heading}”"
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def named(heading: str, **names: str) -> list[str]:
    """The paths that the list says to touch, with ``names`` put for its placeholders; a folder ends with a slash.

    What lies in ``script`` is a command to give, not a file to touch.
    """
    paths = list(dict.fromkeys(PATH.findall(steps(heading))))
    for path in paths:
        new = any(placeholder in path for placeholder in names)
        assert new or (ROOT / path).exists(), f"“{heading}” names {path}, which is not there"
    paths = [path for path in paths if not path.startswith("script/")]
    for placeholder, name in names.items():
        paths = [path.replace(placeholder, name) for path in paths]
    return paths


def copy_of_the_project(tree: Path) -> Path:
    """What a server needs, and the settings of the tools."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        here = Path(folder).relative_to(ROOT)
        return [name for name in names if name == "__pycache__" or here / name in LINKED]

    for room in ROOMS:
        shutil.copytree(ROOT / room, tree / room, ignore=left_out)
    for path in LINKED:
        (tree / path).symlink_to(ROOT / path)
    for name in ("pyproject.toml", "manage.py", "docs/api.md", "tests/__init__.py"):
        (tree / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def follow(tree: Path, addition: str, heading: str, **names: str) -> None:
    """Write in ``tree`` what the addition has, which must be what the list under ``heading`` names."""
    folder = ADDITIONS / addition
    new = sorted(str(path.relative_to(folder / "tree")) for path in (folder / "tree").rglob("*") if path.is_file())
    lines: dict[str, list[list[str]]] = {}
    if (folder / "lines.json").exists():
        lines = json.loads((folder / "lines.json").read_text(encoding="utf-8"))
    listed = named(heading, **names)

    def covers(one: str, path: str) -> bool:
        return path == one or (one.endswith("/") and path.startswith(one))

    touched = [*new, *lines]
    unnamed = [path for path in touched if not any(covers(one, path) for one in listed)]
    assert not unnamed, f"“{heading}” does not name {unnamed}"
    idle = [one for one in listed if not any(covers(one, path) for path in touched)]
    assert not idle, f"“{heading}” names {idle}, which need no change"
    for path in new:
        assert not (tree / path).exists(), f"{path} is there already"
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "tree" / path, tree / path)
    for path, pairs in lines.items():
        text = (tree / path).read_text(encoding="utf-8")
        for after, written in pairs:
            assert text.count(after) == 1, f"{path} has {text.count(after)} times {after!r}"
            text = text.replace(after, after + written)
        (tree / path).write_text(text, encoding="utf-8")


def run(tree: Path, *command: str) -> str:
    environment = {**os.environ, "TOILE_DATA_DIR": str(tree / "data"), "DATABASE_URL": "sqlite://:memory:"}
    environment |= {"PYTHONPATH": str(ADDITIONS), "TOILE_BROKER_URL": "memory://"}
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def look(tree: Path, addition: str) -> dict[str, Any]:
    """What the addition's ``look.py`` found, run in ``tree``."""
    return dict(json.loads(run(tree, str(ADDITIONS / addition / "look.py")).splitlines()[-1]))
