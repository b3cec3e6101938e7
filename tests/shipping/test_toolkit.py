"""What we pack is loaded and asked by Amazon's own inference toolkit, with the packages that are packed with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ml_backend.shipping import inference
from ml_backend.shipping.tarball import pack
from tests.ml_backend.tiny import tiny_inpaint
from tests.shipping.asked import asked, picture_of
from tests.shipping.test_inference import halved

ROOT = Path(__file__).resolve().parents[2]
TOOLKIT = ROOT / ".venv" / "sagemaker"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TOOLKIT.is_dir(), reason="script/test installs the toolkit"),
]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    """As SageMaker unpacks it."""
    root = tmp_path_factory.mktemp("sagemaker")
    archive = pack(halved(tiny_inpaint(root / "package"), root / "half"), root).path
    with tarfile.open(archive) as tar:
        tar.extractall(root / "model", filter="data")
    return root / "model"


ASKED = asked(num_inference_steps=2, seed=3)


@pytest.fixture(scope="module")
def answers(model_folder, tmp_path_factory):
    """What the toolkit answers to a body that is right and to one that is wrong."""
    here = tmp_path_factory.mktemp("answers")
    (here / "bodies.json").write_text(json.dumps([ASKED, {**ASKED, "num_inference_steps": 0}]))
    environment = {**os.environ, "PYTHONPATH": str(TOOLKIT), "HF_HUB_OFFLINE": "1"}
    program = [sys.executable, "-P", str(ROOT / "tests" / "shipping" / "toolkit.py")]
    arguments = [str(model_folder), str(here / "bodies.json"), str(here / "answers.json")]
    ran = subprocess.run([*program, *arguments], env=environment, capture_output=True, text=True, cwd=here)
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = json.loads((here / "answers.json").read_text())
    assert said["toolkit"].startswith(str(TOOLKIT))
    assert f"transformers=={said['transformers']}" in (model_folder / "code" / "requirements.txt").read_text()
    return said["answers"]


def test_the_real_toolkit_paints_what_is_painted_here(model_folder, answers):
    """The same words, weights and seed give the same pictures there: nothing was made up."""
    assert answers[0]["status"] == 200, answers
    there = answers[0]["body"]["generated_images"]
    ours = inference.predict_fn(ASKED, inference.model_fn(model_folder))["generated_images"]
    pictures = [[np.asarray(picture_of(text).convert("RGB"), int) for text in each] for each in (there, ours)]
    assert len(there) == 2
    for one, other in zip(*pictures, strict=True):
        assert one.shape == (64, 64, 3)
        assert np.abs(one - other).max() <= 2
    assert (pictures[0][0] != pictures[0][1]).any()


def test_the_real_toolkit_says_what_is_wrong(answers):
    assert answers[1] == {"status": 400, "message": "num_inference_steps must be a whole number from 1 to 150."}
