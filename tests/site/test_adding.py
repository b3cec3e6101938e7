"""CONTRIBUTING's lists, each followed in a copy of the project: what they name is enough, and all of it is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import adding
from .adding import copy_of_the_project, follow, look, named, run

LISTS = {
    "Adding a pattern type": {"NAME": "wreathed"},
    "Adding a generator": {"NAME": "weft"},
    "Adding another network": {},
    "Adding a restyle engine": {"NAME": "dye"},
    "Adding a default garment": {"NAME": "apron"},
    "Adding a kind of work": {},
    "Adding a page": {"ROOM": "postcards"},
    "Adding something people make": {"ROOM": "postcards"},
    "Adding an API resource": {"NAME": "postcards"},
}
"""Every list, and what its placeholders stand for in a test."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_of_the_project(tmp_path)


def test_every_list_is_known_here_and_names_what_is_there() -> None:
    headings = re.findall(r"^## (Adding .*)$", (adding.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M)
    assert headings == list(LISTS)
    for heading, names in LISTS.items():
        named(heading, **names)


def test_a_list_that_names_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        adding, "steps", lambda heading: "1. `ml_backend/pipelines/restyle/NAME.py`, `ml_backend/gone.py`"
    )
    with pytest.raises(AssertionError, match=r"names ml_backend/gone\.py, which is not there"):
        named("Adding a restyle engine", NAME="dye")


@pytest.mark.parametrize(
    ("listed", "complaint"),
    [
        ("`ml_backend/pipelines/restyle/NAME.py`", r"does not name .*ml_backend/engines\.py"),
        ("`ml_backend/engines.py`", r"does not name .*pipelines/restyle/dye\.py"),
        (
            "`ml_backend/pipelines/restyle/NAME.py` `ml_backend/engines.py` `ml_backend/requests.py`",
            r"names .*ml_backend/requests\.py.*need no change",
        ),
    ],
)
def test_a_list_that_names_too_little_or_too_much_is_refused(
    listed: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "steps", lambda heading: listed)
    with pytest.raises(AssertionError, match=complaint):
        follow(tmp_path, "restyle_engine", "Adding a restyle engine", NAME="dye")
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_a_restyle_engine_is_on_the_page_in_the_api_and_in_the_shell_and_paints(copy: Path) -> None:
    follow(copy, "restyle_engine", "Adding a restyle engine", NAME="dye")
    found = look(copy, "restyle_engine")
    assert found["page"] == [True, True]
    assert found["enum"] and found["choices"][-1] == "dye"
    assert (found["answered"], found["state"]) == (202, "done")
    assert found["recipe"] == ["dye", 3, 1.0]
    assert found["its page"] and not found["torch"]
    assert (found["shell"], found["files"]) == (0, ["photo-3.png"])


@pytest.mark.slow
def test_a_generator_is_trained_kept_offered_and_dreams(copy: Path) -> None:
    follow(copy, "generator", "Adding a generator", NAME="weft")
    found = look(copy, "generator")
    assert found["trained"] == 0
    assert (found["answered"], found["dreamed"]) == (202, ["done", "dreamed", True])
    assert found["chosen on the page"] and found["models"]


@pytest.mark.slow
def test_a_room_with_a_page_something_made_there_and_its_api_resource(copy: Path) -> None:
    follow(copy, "room", "Adding a page", ROOM="postcards")
    follow(copy, "made_thing", "Adding something people make", ROOM="postcards")
    follow(copy, "api_resource", "Adding an API resource", NAME="postcards")
    found = look(copy, "api_resource")
    assert found["page"] == [200, True]
    assert found["seen"] == found["files"] == [200, 404, 404]
    assert found["published"] == [200, 200, 200]
    assert (found["refused"], found["left"]) == (404, [0, False])
    assert found["staff"] == "postcard"
    assert (found["hidden"], found["list"], found["file"]) == ([200, 404, 401], ["Again"], "a picture")
    assert (found["publish"], found["public"]) == ([404, True], [True])
    assert found["delete"] == [403, 204, 404]
    assert found["described"] == {
        "/api/v1/postcards": ["get"],
        "/api/v1/postcards/{pk}": ["delete", "get", "patch"],
        "/api/v1/postcards/{pk}/files/{name}": ["get"],
    }
    assert found["empty guests"] == [0, 1]
    assert found["unwritten"] == "No changes detected in app 'studio'"
    contracts = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    assert "0 broken" in run(copy, "-c", contracts)


@pytest.mark.slow
def test_a_garment_is_in_the_studio_and_wears_a_fabric_and_is_imagined(copy: Path) -> None:
    follow(copy, "garment", "Adding a default garment", NAME="apron")
    found = look(copy, "garment")
    assert found["loaded"] == [1, 0]
    assert found["studio"] and found["api"]
    assert found["look"] == "done"
    assert found["imagined"] == ["done", 256, []]
