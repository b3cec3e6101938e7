"""The contract of an endpoint, with tiny models of each kind; and the command that serves it."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.packaging import save_folder_manifest
from ml_backend.pipelines.restyle.remote import RemoteRestyle
from ml_backend.requests import RestyleRequest
from ml_backend.shipping import inference
from ml_backend.shipping.asking import Endpoint, HttpCall, Place
from ml_backend.shipping.inference import Unanswerable
from tests.ml_backend.tiny import tiny_inpaint, tiny_text_to_image
from tests.shipping.asked import asked, base64_of, mask, photo, picture_of
from tests.shipping.test_server import serving

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    root = tmp_path_factory.mktemp("endpoint")
    return {"sd1": tiny_inpaint(root / "sd1"), "sdxl": tiny_inpaint(root / "sdxl", "sdxl"),
            "words": tiny_text_to_image(root / "words")}  # fmt: skip


def halved(package, folder):
    """The same model as most are published: in half precision."""
    inference.load(package.path, "cpu").to(torch.float16).save_pretrained(folder, safe_serialization=True)
    about = {"name": "half", "capability": "restyle", "architecture": "diffusers"}
    return save_folder_manifest(folder, **about)


def test_files_in_half_precision_are_painted_with(shelf, tmp_path):
    model = inference.load(halved(shelf["sd1"], tmp_path / "half").path, "cpu")
    answer = inference.predict_fn(asked(num_inference_steps=25, strength=0.12, num_images_per_prompt=1), model)
    assert picture_of(answer["generated_images"][0]).size == (64, 64)


@pytest.fixture(scope="module")
def model(shelf):
    return inference.model_fn(shelf["sd1"].path)


def pixels(text):
    return np.asarray(picture_of(text).convert("RGB"))


class Recorder:
    """A pipeline that notes what it is asked."""

    unet = SimpleNamespace(config=SimpleNamespace(in_channels=9))

    def __init__(self, flagged=None):
        self.flagged = flagged

    def __call__(self, **options):
        self.options = options
        return SimpleNamespace(
            images=[Image.new("RGB", (8, 8))] * options["num_images_per_prompt"], nsfw_content_detected=self.flagged
        )


def test_what_is_left_out_is_as_the_contract_says():
    model = Recorder()
    answer = inference.predict_fn(asked(image_length=None), model)
    said = {name: model.options[name] for name in ("num_inference_steps", "guidance_scale", "num_images_per_prompt")}
    assert said == {"num_inference_steps": 25, "guidance_scale": 6.5, "num_images_per_prompt": 2}
    assert (model.options["width"], model.options["height"]) == (512, 512)
    assert model.options["generator"] is None
    assert answer.keys() == {"generated_images"}
    assert len(answer["generated_images"]) == 2


def test_pictures_that_the_models_own_check_blackened_are_told():
    assert inference.predict_fn(asked(), Recorder([False, True]))["flagged"] == [False, True]


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_what_is_not_marked_stays_and_what_is_marked_changes(shelf, kind):
    model = inference.model_fn(shelf[kind].path)
    (text,) = inference.predict_fn(
        asked(num_inference_steps=2, num_images_per_prompt=1, width=72, height=64, image_length=None), model
    )["generated_images"]
    assert picture_of(text).format == "PNG"
    assert picture_of(text).size == (72, 64)


def test_a_seed_gives_the_same_picture_alone_and_among_others(model):
    settings = {"num_inference_steps": 2, "strength": 1.0}
    both = inference.predict_fn(asked(seed=7, num_images_per_prompt=2, **settings), model)["generated_images"]
    again = inference.predict_fn(asked(seed=7, num_images_per_prompt=1, **settings), model)["generated_images"]
    other = inference.predict_fn(asked(seed=9, num_images_per_prompt=1, **settings), model)["generated_images"]
    assert np.abs(pixels(both[0]).astype(int) - pixels(again[0])).max() <= 1
    assert (pixels(both[1]) != pixels(both[0])).any()
    assert (pixels(other[0]) != pixels(again[0])).any()


@pytest.mark.parametrize("kind", ["sd1", "words"])
def test_words_alone_imagine(shelf, kind):
    model = inference.model_fn(shelf[kind].path)
    answer = inference.predict_fn(
        asked(input_img=None, mask_img=None, num_inference_steps=2, num_images_per_prompt=2), model
    )
    assert [picture_of(text).size for text in answer["generated_images"]] == [(64, 64)] * 2


def test_a_folder_may_lack_the_checker_that_it_names(shelf, tmp_path):
    folder = tmp_path / "model"
    folder.symlink_to(shelf["sd1"].path)
    index = json.loads((folder / "model_index.json").read_text())
    copy = tmp_path / "copy"
    copy.mkdir()
    for entry in folder.iterdir():
        if entry.name != "model_index.json":
            (copy / entry.name).symlink_to(entry)
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (copy / "model_index.json").write_text(json.dumps(index))
    assert inference.model_fn(copy).safety_checker is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("a dress", "JSON object"),
        (asked(inputs=None), "inputs must be text"),
        (asked(inputs="  "), "inputs must be text"),
        (asked(inputs=["a", "b"]), "inputs must be text"),
        (asked(inputs="x" * 2001), "at most 2000"),
        (asked(mask_img=None), "together"),
        (asked(input_img=None), "together"),
        (asked(input_img="****"), "input_img cannot be used: it is no base64"),
        (asked(mask_img="aGVsbG8="), "mask_img cannot be used: it is no base64"),
        (asked(input_img=5), "input_img cannot be used: it is no text"),
        (asked(input_img=base64_of(photo(), "BMP")), "it is no base64 of a PNG, JPEG or WebP"),
        (asked(mask_img=base64_of(Image.new("L", (5000, 8)))), "5000x8"),
        (asked(num_inference_steps=0), "from 1 to 150"),
        (asked(num_inference_steps=2.5), "whole number"),
        (asked(num_inference_steps=True), "whole number"),
        (asked(guidance_scale="7"), "from 0 to 30"),
        (asked(guidance_scale=float("nan")), "from 0 to 30"),
        (asked(num_images_per_prompt=9), "from 1 to 8"),
        (asked(image_length=100), "multiples of 8"),
        (asked(image_length=10**9), "from 64 to 2048"),
        (asked(seed=-1), "from 0"),
        (asked(num_inference_steps=2, strength=0.1), "few steps"),
        (asked(guidence_scale=7), "Nothing is known of guidence_scale"),
    ],
)
def test_what_cannot_be_done_is_said(data, says):
    model = Recorder()
    with pytest.raises(Unanswerable, match=says):
        inference.predict_fn(data, model)
    assert not hasattr(model, "options")


def test_photos_are_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    Image.new("RGB", (16, 8)).save(target, "JPEG", exif=exif)
    assert inference.decoded(base64.b64encode(target.getvalue()).decode(), "RGB").size == (8, 16)


def test_masks_of_any_size_fit(model):
    answer = inference.predict_fn(
        asked(mask_img=base64_of(mask(32, 48)), num_inference_steps=1, num_images_per_prompt=1), model
    )
    assert picture_of(answer["generated_images"][0]).size == (64, 64)


def test_our_server_is_asked_as_our_workers_ask(shelf, model):
    """Both sides of the contract, with nothing between them that pretends."""
    manifest = replace(shelf["sd1"].manifest, config={"defaults": {"size": 64, "steps": 2}})
    given, where = photo(120, 90), np.zeros((90, 120), np.float32)
    where[30:60, 40:80] = 1
    requests = [RestyleRequest("a blue dress", seed, "diffusion", negative_prompt="red") for seed in (7, 7, 8)]
    with serving(lambda data: inference.predict_fn(data, model)) as server:
        place = Place.parse(f"http://127.0.0.1:{server.server_port}/invocations")
        made = RemoteRestyle(manifest, Endpoint("tiny", lambda: HttpCall(place, 60.0)))(given, where, requests)
    first, again, other = (np.asarray(one.image) for one in made)
    assert (first == again).all(), "a seed makes its picture again"
    assert (first != other).any()
    assert (first[where == 0] == np.asarray(given)[where == 0]).all()


@pytest.mark.slow
def test_the_command_serves_a_package_until_it_is_told_to_end(shelf):
    package = shelf["sd1"]
    command = [sys.executable, "-m", "ml_backend", "serve", str(package.path), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            line = next(line for line in process.stderr if package.manifest.reference in line)
            port = int(line.rstrip().removesuffix("/invocations").rpartition(":")[2])
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                body = json.dumps(asked(num_inference_steps=2, num_images_per_prompt=1))
                connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                assert answer.status == 200
                assert len(json.load(answer)["generated_images"]) == 1
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
