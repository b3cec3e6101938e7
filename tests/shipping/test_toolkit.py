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
    archive = pack(tiny_inpaint(root / "package"), root).path
    with tarfile.open(archive) as tar:
        tar.extractall(root / "model", filter="data")
    return root / "model"


def toolkit(folder, tmp_path, body):
    """What the toolkit answers."""
    (tmp_path / "body.json").write_text(json.dumps(body))
    environment = {**os.environ, "PYTHONPATH": str(TOOLKIT), "HF_HUB_OFFLINE": "1"}
    program = [sys.executable, "-P", str(ROOT / "tests" / "shipping" / "toolkit.py")]
    arguments = [str(folder), str(tmp_path / "body.json"), str(tmp_path / "answer.json")]
    ran = subprocess.run([*program, *arguments], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr[-3000:]
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["toolkit"].startswith(str(TOOLKIT))
    assert f"transformers=={answer['transformers']}" in (folder / "code" / "requirements.txt").read_text()
    return answer


def test_the_real_toolkit_paints(model_folder, tmp_path):
    answer = toolkit(model_folder, tmp_path, asked(num_inference_steps=2, seed=3))
    assert answer["status"] == 200, answer
    here = inference.predict_fn(asked(num_inference_steps=2, seed=3), inference.model_fn(model_folder))
    for there, ours in zip(answer["body"]["generated_images"], here["generated_images"], strict=True):
        difference = np.asarray(picture_of(there), int) - np.asarray(picture_of(ours), int)
        assert np.abs(difference).max() <= 2, "the same words, weights and seed: nothing was made up"
    first, second = (np.asarray(picture_of(text).convert("RGB"), int) for text in answer["body"]["generated_images"])
    assert first.shape == second.shape == (64, 64, 3)
    assert (first != second).any(), "two pictures by default"


def test_the_real_toolkit_says_what_is_wrong(model_folder, tmp_path):
    answer = toolkit(model_folder, tmp_path, asked(num_inference_steps=0))
    assert (answer["status"], answer["message"]) == (400, "num_inference_steps must be a whole number from 1 to 150.")
