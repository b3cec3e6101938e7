"""Who imports whom: in no circle, and from folder to folder only one way, imports inside functions included.

Which way that is stands in the contracts of ``pyproject.toml``.
"""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

ROOMS = ("fashion_site", "studio", "patterns", "ml_backend")


@pytest.fixture(scope="module")
def house() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, cache_dir=None)


def modules_of(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def neighbours_in(graph: grimp.ImportGraph, folder: str) -> dict[str, set[str]]:
    """What lies in ``folder``, and which of its neighbours there each imports, itself or through what lies in it."""
    inside = {one: {one, *graph.find_descendants(one)} for one in graph.find_children(folder)}
    imported = {
        one: {other for module in modules for other in graph.find_modules_directly_imported_by(module)}
        for one, modules in inside.items()
    }
    return {
        one: {other for other, modules in inside.items() if other != one and modules & imported[one]} for one in inside
    }


def refuse_circles(imports: dict[str, set[str]]) -> None:
    TopologicalSorter(imports).prepare()


def test_no_modules_import_each_other(house):
    refuse_circles(modules_of(house))


def test_what_lies_in_one_folder_imports_only_one_way(house):
    for folder in house.modules:
        refuse_circles(neighbours_in(house, folder))


def test_a_circle_inside_functions_is_found(tmp_path, monkeypatch):
    package = tmp_path / "tailor"
    (package / "cut").mkdir(parents=True)
    for name in ("", "cut/"):
        (package / f"{name}__init__.py").touch()
    (package / "cut" / "scissors.py").write_text("def cut():\n    from ..thread import sew\n    sew()\n")
    (package / "cut" / "cloth.py").touch()
    (package / "thread.py").write_text("from tailor.cut import cloth\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    graph = grimp.build_graph("tailor", cache_dir=None)
    refuse_circles(modules_of(graph))
    with pytest.raises(CycleError):
        refuse_circles(neighbours_in(graph, "tailor"))
    (package / "thread.py").write_text("def sew():\n    from .cut.scissors import cut\n    cut()\n")
    with pytest.raises(CycleError):
        refuse_circles(modules_of(grimp.build_graph("tailor", cache_dir=None)))
