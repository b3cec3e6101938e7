"""The commands about words: files where asked for, JSON for machines, one line for bad input."""

import json

import numpy as np
import pytest
from PIL import Image

from ml_backend import images
from ml_backend.cli import main
from ml_backend.requests import ImagineRequest, RestyleRequest
from ml_backend.words.similarity import SimilarWords
from tests.ml_backend.tiny import tiny_clip, tiny_clipseg, tiny_inpaint, tiny_lora


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    root = tmp_path_factory.mktemp("shelf")
    tiny_inpaint(root / "inpaint")
    tiny_clipseg(root / "clipseg")
    tiny_lora(root / "loras/silk.safetensors")
    return root


@pytest.fixture
def folder(tmp_path):
    """A photo, a mask for it and one of another size."""
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 40, 3), np.uint8)).save(tmp_path / "ana.png")
    mask = np.zeros((60, 40), np.uint8)
    mask[20:50, 5:35] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.new("L", (9, 9), 255).save(tmp_path / "other.png")
    return tmp_path


def run(capsys, *arguments):
    status = main([*map(str, arguments), "--json"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return json.loads(captured.out)


def complaint(capsys, *arguments):
    assert main([*map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.strip().splitlines()
    return line


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def recipe(path):
    with Image.open(path) as image:
        return images.read_recipe(image)


def test_text_mask_writes_a_grey_mask_of_the_photos_size(folder, shelf, capsys):
    arguments = ["text-mask", folder / "ana.png", "--prompt", "the dress, not the hair", "--model", shelf / "clipseg"]
    answer = run(capsys, *arguments, "--out", folder / "masks")
    mask = pixels(folder / "masks/ana.png")
    assert mask.shape == (60, 40)
    assert mask.dtype == np.uint8
    (entry,) = answer["photos"]
    assert [phrase["subtract"] for phrase in entry["phrases"]] == [False, True]
    hard = run(capsys, *arguments, "--threshold", 0.5, "--no-refine", "--out", folder / "hard")
    assert hard["threshold"] == 0.5
    assert set(np.unique(pixels(folder / "hard/ana.png"))) <= {0, 255}


def test_words_that_are_not_known_are_said_to_be_unknown(folder, capsys):
    arguments = ["text-mask", folder / "ana.png", "--out", folder / "masks", "--prompt"]
    for words in ("the sky", "banana"):
        assert f"does not know '{words}'" in complaint(capsys, *arguments, words)
    assert not (folder / "masks").exists()
    answer = run(capsys, *arguments, "the dress, banana")
    assert [phrase["known"] for phrase in answer["photos"][0]["phrases"]] == [True, False]
    assert main([*map(str, arguments), "the dress, banana"]) == 0
    assert "banana unknown" in capsys.readouterr().out
    asked = ["restyle", folder / "ana.png", "--region", "the sky", "--prompt", "a red dress", "--out", folder / "out"]
    assert "does not know 'the sky'" in complaint(capsys, *asked)


def test_restyle_by_diffusion_is_the_default_with_a_model(folder, shelf, capsys):
    where = ["restyle", folder / "ana.png", "--mask", folder / "mask.png", "--prompt", "a red dress"]
    how = ["--count", 2, "--seed", 7, "--steps", 2, "--model", shelf / "inpaint"]
    answer = run(capsys, *where, *how, "--out", folder / "out")
    assert answer["engine"] == "diffusion"
    assert [entry["file"] for entry in answer["pictures"]] == [str(folder / f"out/ana-{seed}.png") for seed in (7, 8)]
    before, after = pixels(folder / "ana.png"), pixels(folder / "out/ana-8.png")
    outside = pixels(folder / "mask.png") == 0
    assert np.array_equal(after[outside], before[outside])
    assert not np.array_equal(after, before)
    made = RestyleRequest.from_dict(recipe(folder / "out/ana-8.png"))
    assert (made.seed, made.steps, made.scheduler, made.size) == (8, 2, "euler", 64)


def test_restyle_finds_its_region_by_words(folder, shelf, capsys):
    answer = run(
        capsys, "restyle", folder / "ana.png", "--region", "the dress", "--mask-model", shelf / "clipseg",
        "--prompt", "a red dress", "--steps", 1, "--model", shelf / "inpaint", "--out", folder / "out",
    )  # fmt: skip
    assert len(answer["pictures"]) == 1


def test_restyle_wears_loras(folder, shelf, capsys):
    where = ["restyle", folder / "ana.png", "--mask", folder / "mask.png", "--prompt", "a dress", "--steps", 2]
    lora = ["--lora", "silk:0.8", "--lora-dir", shelf / "loras"]
    run(capsys, *where, "--model", shelf / "inpaint", "--out", folder / "plain")
    answer = run(capsys, *where, *lora, "--model", shelf / "inpaint", "--out", folder / "silk")
    assert answer["pictures"][0]["loras"] == ["silk:0.8"]
    assert not np.array_equal(pixels(folder / "plain/ana-0.png"), pixels(folder / "silk/ana-0.png"))


def test_restyle_by_fabric_is_the_default_without_a_model(folder, capsys):
    Image.open(folder / "ana.png").resize((120, 180)).save(folder / "big.png")
    Image.open(folder / "mask.png").resize((120, 180)).save(folder / "big-mask.png")
    where = ["restyle", folder / "big.png", "--mask", folder / "big-mask.png", "--prompt", "red striped dress"]
    answer = run(capsys, *where, "--seed", 3, "--out", folder / "out")
    assert answer["engine"] == "fabric"
    assert recipe(folder / "out/big-3.png")["engine"] == "fabric"


def test_a_clip_lets_the_fabric_engine_read_more_words(folder, capsys, tmp_path, monkeypatch):
    Image.open(folder / "ana.png").resize((120, 180)).save(folder / "big.png")
    Image.open(folder / "mask.png").resize((120, 180)).save(folder / "big-mask.png")
    monkeypatch.setattr(SimilarWords, "nearest", lambda self, word: "striped")  # a tiny CLIP has no opinion
    where = ["restyle", folder / "big.png", "--mask", folder / "big-mask.png", "--prompt", "a glorpy red dress"]
    plain = run(capsys, *where, "--out", folder / "plain")["pictures"][0]["notes"]
    clip = tiny_clip(tmp_path / "clip")
    known = run(capsys, *where, "--clip", clip, "--out", folder / "known")["pictures"][0]["notes"]
    assert any("glorpy" in note for note in plain)
    assert known != plain


def test_imagine_by_fabric_is_the_default_without_a_model(folder, capsys):
    answer = run(
        capsys, "imagine", "--prompt", "a plain blue skirt", "--seed", 3, "--size", 128, "--out", folder / "out"
    )  # fmt: skip
    assert answer["engine"] == "fabric"
    made = ImagineRequest.from_dict(recipe(folder / "out/imagine-3.png"))
    assert (made.engine, made.size) == ("fabric", 128)


def test_imagine_writes_one_file_a_seed(folder, shelf, capsys):
    answer = run(
        capsys, "imagine", "--prompt", "image of a sweater", "--negative-prompt", "hair", "--count", 2,
        "--seed", 2147483647, "--steps", 2, "--size", 64, "--scheduler", "dpm++",
        "--model", shelf / "inpaint", "--out", folder / "out",
    )  # fmt: skip
    assert [entry["seed"] for entry in answer["pictures"]] == [2147483647, 0], "after the largest comes 0"
    made = ImagineRequest.from_dict(recipe(folder / "out/imagine-0.png"))
    assert (made.negative_prompt, made.scheduler) == ("hair", "dpm++")
    assert pixels(folder / "out/imagine-0.png").shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("text-mask none.png --prompt dress --model SHELF/clipseg --out OUT", "none.png"),
        ("text-mask DIR/ana.png --prompt dress --model SHELF/inpaint --out OUT", "tiny-sd1"),
        ("text-mask DIR/ana.png --prompt dress --threshold 2 --model SHELF/clipseg --out OUT", "threshold"),
        ("text-mask DIR/ana.png DIR/ana.png --prompt dress --model SHELF/clipseg --out OUT", "same name"),
        ("restyle DIR/ana.png --mask DIR/other.png --prompt red --model SHELF/inpaint --out OUT", "9x9"),
        ("restyle DIR/ana.png --mask DIR/mask.png --prompt red --model SHELF/clipseg --out OUT", "tiny-clipseg"),
        ("restyle DIR/ana.png --mask DIR/mask.png --prompt red --model SHELF/none --out OUT", "package"),
        ("restyle DIR/ana.png --mask DIR/mask.png --prompt red --steps 0 --model SHELF/inpaint --out OUT", "steps"),
        ("restyle DIR/ana.png --mask DIR/mask.png --prompt red --seed -1 --model SHELF/inpaint --out OUT", "seed"),
        ("restyle DIR/ana.png --mask DIR/mask.png --prompt a --engine fabric --model SHELF/inpaint --out OUT", "model"),
        ("imagine --prompt a --engine fabric --model SHELF/inpaint --out OUT", "model"),
        ("imagine --prompt red --lora silk:0.8 --model SHELF/inpaint --out OUT", "--lora-dir"),
        ("imagine --prompt red --lora wool --lora-dir SHELF/loras --model SHELF/inpaint --out OUT", "wool"),
        ("imagine --prompt red --lora silk:9 --lora-dir SHELF/loras --model SHELF/inpaint --out OUT", "strength"),
        ("imagine --prompt red --size 65 --model SHELF/inpaint --out OUT", "multiple of 64"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_status_two(arguments, words, folder, shelf, capsys):
    out = folder / "out"
    names = {"DIR": folder, "SHELF": shelf, "OUT": out}
    for name, path in names.items():
        arguments = arguments.replace(name, str(path))
    assert words in complaint(capsys, *arguments.split())
    assert not out.exists(), "nothing is written"


@pytest.mark.parametrize(
    "arguments",
    [
        "restyle a.png --prompt red --out x",
        "restyle a.png --mask m.png --region dress --prompt red --out x",
        "restyle a.png --mask m.png --prompt red --scheduler magic --out x",
        "imagine --out x",
        "text-mask --prompt dress --out x",
    ],
)
def test_usage_errors_have_status_two(arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
