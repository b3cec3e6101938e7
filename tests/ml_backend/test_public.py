"""What the library shows of itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ml_backend


@pytest.mark.parametrize("name", ml_backend.__all__)
def test_each_public_name_is_there_and_says_what_it_is(name):
    assert getattr(ml_backend, name).__doc__


def test_other_names_are_refused_as_python_does():
    with pytest.raises(AttributeError, match="has no attribute 'weave'"):
        ml_backend.weave  # noqa: B018


def test_importing_the_library_imports_nothing_heavy():
    code = "import sys, ml_backend; print(sorted({'torch', 'numpy', 'django', 'celery', 'PIL'} & set(sys.modules)))"
    light = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert light.stdout.strip() == "[]"


def test_the_example_makes_a_fabric():
    fabric = ml_backend.GeneratePipeline(ml_backend.starter("xgan-starter"), None)(
        ml_backend.GenerateRequest("floral", seed=7, size=128)
    )
    assert fabric.image.size == (128, 128)
