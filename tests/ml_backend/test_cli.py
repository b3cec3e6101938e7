"""The command line's promises: files where asked for, JSON for machines, status 2 and one line for bad input."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_backend import images
from ml_backend.cli import build_parser, main
from ml_backend.networks.unet import UNetConfig
from ml_backend.requests import GARMENT_CLASSES, GenerateRequest
from ml_backend.training.unet import UNetRecipe


def run(capsys, *arguments):
    """Status and standard output parsed as JSON."""
    status = main([*map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


def complaint(capsys, *arguments):
    """The one line that a failing command prints."""
    assert main([*map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.strip().splitlines()
    return line


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "ana.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 40, 3), np.uint8)).save(path)
    return path


@pytest.fixture
def tile(tmp_path):
    path = tmp_path / "tile.png"
    images.save_picture(Image.new("RGB", (32, 32), "#aa2244"), path, {"seed": 3})
    return path


@pytest.mark.parametrize("command", ["generate", "upscale", "segment", "overlay", "train", "evaluate"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert command in capsys.readouterr().out


def test_generate_writes_one_file_a_seed_with_its_recipe(tmp_path, capsys):
    status, answer = run(
        capsys,
        "generate",
        "--type",
        "floral",
        "--count",
        2,
        "--seed",
        7,
        "--size",
        64,
        "--engine",
        "drawn",
        "--out",
        tmp_path,
    )
    assert status == 0
    assert [entry["file"] for entry in answer["patterns"]] == [str(tmp_path / f"floral-{seed}.png") for seed in (7, 8)]
    with Image.open(tmp_path / "floral-8.png") as image:
        assert image.size == (64, 64)
        recipe = images.read_recipe(image)
    assert GenerateRequest.from_dict(recipe).seed == 8
    again = tmp_path / "again"
    run(capsys, *["generate", "--type", "floral", "--seed", "8", "--size", "64", "--engine", "drawn", "--out"], again)
    assert np.array_equal(pixels(again / "floral-8.png"), pixels(tmp_path / "floral-8.png"))


def test_generate_wears_the_given_palette(tmp_path, capsys):
    palette = "#ff0000,#00ff00"
    drawn = ["--engine", "drawn", "--size", 64, "--palette", palette]
    run(capsys, "generate", "--type", "striped", *drawn, "--out", tmp_path)
    striped = pixels(tmp_path / "striped-0.png")
    assert (striped[..., 2] < 60).all(), "no blue in a palette without blue"


def test_generate_varies_a_fabric(tmp_path, capsys):
    def dream(name, seed, *options):
        arguments = ["--type", "dotted", "--seed", seed, "--size", 64, "--out", tmp_path / name]
        run(capsys, "generate", *arguments, *options)
        return pixels(tmp_path / name / f"dotted-{seed}.png")

    parent = dream("parent", 8)
    varied = dream("varied", 9, "--vary-of", 8)
    assert np.array_equal(dream("same", 9, "--vary-of", 8, "--vary-amount", 0), parent)
    assert not np.array_equal(varied, parent)
    assert not np.array_equal(varied, dream("plain", 9))


def test_segment_writes_mask_and_classes_of_the_photos_size(photo, tiny_segmenter, tmp_path, capsys):
    status, answer = run(capsys, "segment", photo, "--model", tiny_segmenter.path, "--out", tmp_path / "masks")
    assert status == 0
    mask, labels = pixels(tmp_path / "masks/ana.png"), pixels(tmp_path / "masks/ana.labels.png")
    assert mask.shape == labels.shape == (60, 40), "one channel, the photo's size"
    assert list(answer["classes"].values()) == list(GARMENT_CLASSES)
    assert answer["model"] == tiny_segmenter.manifest.reference


def test_segment_lists_the_garments_one_by_one(photo, tiny_segmenter, tmp_path, capsys):
    _, answer = run(capsys, "segment", photo, "--model", tiny_segmenter.path, "--out", tmp_path / "masks")
    (found,) = answer["photos"]
    labels = pixels(tmp_path / "masks/ana.labels.png")
    assert {piece["name"] for piece in found["pieces"]} >= set(found["garments"])
    for piece in found["pieces"]:
        assert (labels == piece["value"]).any()
        assert piece["kind"] in GARMENT_CLASSES


def test_taps_make_the_mask_of_one_garment(photo, tap_segmenter, tmp_path, capsys):
    options = ["segment", photo, "--model", tap_segmenter.path, "--out", tmp_path / "masks"]
    status, answer = run(capsys, *options, "--tap", "12,30", "--tap", "20,40", "--tap-out", "3,4")
    assert status == 0
    assert answer["taps"] == [[12, 30, True], [20, 40, True], [3, 4, False]]
    assert pixels(tmp_path / "masks/ana.tapped.png").shape == (60, 40)
    for given, words in (
        (["--tap", "40,3"], "x of a tap"),
        (["--tap-out", "3,4"], "on the garment"),
        (["--tap", "3,4", "--mend", "hat"], "garment"),
        (["--tap", "3,4", "--mend", "dress-7"], "No dress-7"),
    ):
        assert words in complaint(capsys, *options, *given)
    assert "one photo" in complaint(capsys, "segment", photo, tmp_path / "b.png", "--tap", "1,1", "--out", tmp_path)


def test_segment_refuses_two_photos_of_one_name(photo, tiny_segmenter, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/ana.png").write_bytes(photo.read_bytes())
    line = complaint(
        capsys, "segment", photo, tmp_path / "b/ana.png", "--model", tiny_segmenter.path, "--out", tmp_path
    )
    assert "same name" in line


def test_overlay_changes_only_what_the_mask_names(photo, tile, tmp_path, capsys):
    mask = np.zeros((60, 40), np.uint8)
    mask[10:50, 10:30] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    out = tmp_path / "look.png"
    options = ["--pattern", tile, "--mask", tmp_path / "mask.png", "--scale-cm", 12, "--rotate", 30]
    status, answer = run(capsys, "overlay", photo, *options, "--repeat", "half-drop", "--out", out)
    assert status == 0
    assert answer["scale_cm"] == 12
    before, after = pixels(photo), pixels(out)
    assert after.shape == before.shape
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert np.abs(after.astype(int) - before)[15:45, 15:25].mean() > 10
    with Image.open(out) as look:
        recipe = images.read_recipe(look)
    assert recipe["pattern"] == {"seed": 3}
    assert recipe["overlay"]["repeat"] == "half-drop"


def test_overlay_dresses_an_outfit_in_peoples_words(photo, tile, tmp_path, capsys, monkeypatch):
    from ml_backend.cli import fabrics
    from ml_backend.pipelines.segment import Segmentation

    labels = np.zeros((60, 40), np.uint8)
    labels[10:30, 10:30], labels[30:50, 10:30] = 2, 4
    found = Segmentation((labels > 0).astype(np.float32), labels)
    monkeypatch.setattr(fabrics, "_segmenter", lambda options: lambda picture: found)
    monkeypatch.setattr(fabrics, "_surface", lambda options: None)
    red = tmp_path / "red.png"
    Image.new("RGB", (32, 32), (200, 10, 10)).save(red)
    out = tmp_path / "look.png"
    parts = ["--garment", f"Jacket={red},strength=0.5", "--garment", f"skirt={tile},scale-cm=9,repeat=mirror"]
    status, answer = run(capsys, "overlay", photo, *parts, "--scale-cm", 20, "--out", out)
    assert status == 0
    jacket, skirt = answer["parts"]
    assert (jacket["garments"], jacket["scale_cm"], jacket["strength"]) == (["outerwear"], 20, 0.5)
    assert (skirt["garments"], skirt["scale_cm"], skirt["repeat"]) == (["skirt"], 9, "mirror")
    before, after = pixels(photo).astype(int), pixels(out).astype(int)
    redder = (after - before)[13:27, 13:27]
    assert redder[..., 0].mean() > redder[..., 1].mean() + 10
    assert np.abs(after - before)[33:47, 13:27].mean() > 10
    assert np.array_equal(after[labels == 0], before[labels == 0])
    with Image.open(out) as look:
        recipe = images.read_recipe(look)
    assert recipe["overlay"] == {"parts": [jacket, skirt]}
    assert recipe["pattern"] == [None, {"seed": 3}]


def test_train_runs_a_recipe_file(street_folder, tmp_path, capsys):
    recipe = UNetRecipe(
        street_dir=str(street_folder),
        network=UNetConfig(widths=(8, 16), depths=(1, 1)),
        size=(48, 32),
        batch=2,
        steps=2,
        evaluate_every=2,
    )
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(dataclasses.asdict(recipe)))
    status, _ = run(capsys, "train", path, "--run-dir", tmp_path / "run")
    assert status == 0
    assert (tmp_path / "run/checkpoint.pt").exists()
    assert "--resume" in complaint(capsys, "train", path, "--run-dir", tmp_path / "run")
    assert run(capsys, "train", path, "--run-dir", tmp_path / "run", "--resume")[0] == 0


def test_evaluate_iou_of_folders(tmp_path, capsys):
    for name, columns in (("made", 4), ("true", 8)):
        (tmp_path / name).mkdir()
        mask = np.zeros((8, 8), np.uint8)
        mask[:, :columns] = 255
        Image.fromarray(mask).save(tmp_path / name / "a.png")
    status, answer = run(capsys, "evaluate", "iou", tmp_path / "made", tmp_path / "true")
    assert status == 0
    assert answer["iou"] == pytest.approx(0.5)


def test_json_flag_counts_before_and_after_the_metric(tile, capsys):
    for arguments in (["evaluate", "--json", "seam", str(tile)], ["evaluate", "seam", str(tile), "--json"]):
        assert main(arguments) == 0
        assert json.loads(capsys.readouterr().out)["metric"] == "seam"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("generate --type floral --seed -1 --engine drawn --out OUT", "seed"),
        ("generate --type floral --size 9 --engine drawn --out OUT", "size"),
        ("upscale none.png --out OUT/x.png", "none.png"),
        ("segment none.png --out OUT", "none.png"),
        ("segment PHOTO --model OUT --out OUT", "package"),
        ("overlay PHOTO --pattern none.png --out OUT/x.png", "none.png"),
        ("overlay PHOTO --pattern TILE --strength 2 --out OUT/x.png", "strength"),
        ("overlay PHOTO --pattern TILE --garments hat --out OUT/x.png", "hat"),
        ("overlay PHOTO --out OUT/x.png", "--pattern"),
        ("overlay PHOTO --pattern TILE --garment jacket=TILE --out OUT/x.png", "either"),
        ("overlay PHOTO --garment jacket=TILE --garments skirt --out OUT/x.png", "--garment"),
        ("overlay PHOTO --garment jacket=TILE --garment coat=TILE --out OUT/x.png", "two parts"),
        ("overlay PHOTO --garment jacket=TILE,strength=2 --out OUT/x.png", "strength"),
        ("evaluate worn", "--data"),
        ("overlay PHOTO --pattern TILE --mask TILE --out OUT/x.png", "32x32"),
        ("train none.json --run-dir OUT", "none.json"),
        ("evaluate iou OUT OUT", "no PNG"),
        ("evaluate cloth", "--street"),
        ("evaluate segment --street OUT --pairs -1", "negative"),
        ("evaluate psnr PHOTO TILE", "size"),
        ("evaluate restoration --vgg TILE", "VGG19"),
    ],
)
def test_bad_input_is_one_line_and_status_two(arguments, words, photo, tile, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    names = {"PHOTO": str(photo), "TILE": str(tile), "OUT": str(out)}
    filled = [names.get(part, part.replace("OUT", str(out))) for part in arguments.split()]
    assert words in complaint(capsys, *filled)
    assert not list(out.iterdir()), "nothing is written"


@pytest.mark.parametrize(
    "arguments", ["", "weave", "generate", "generate --type tartan --out x", "upscale a --scale 3 --out b"]
)
def test_usage_errors_have_status_two(arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2


def test_a_reader_that_leaves_early_is_no_error(tile):
    command = [sys.executable, "-m", "ml_backend", "evaluate", "seam", str(tile)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_it_runs_as_a_module_and_without_django():
    code = "import sys, ml_backend.cli; sys.exit('django' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    asked = subprocess.run([sys.executable, "-m", "ml_backend", "--help"], check=False, capture_output=True, text=True)
    assert asked.returncode == 0
    assert "overlay" in asked.stdout


def test_print_makes_a_file_of_true_size_from_a_tile_with_its_recipe(tmp_path, capsys):
    assert main(["generate", "--type", "geometric", "--seed", "4", "--engine", "drawn", "--out", str(tmp_path)]) == 0
    tile = str(tmp_path / "geometric-4.png")
    asked = ["print", tile, "--repeat", "half-drop", "--scale", "2in", "--dpi", "150", "--out", str(tmp_path), "--json"]
    capsys.readouterr()
    assert main([*asked, "--panel", "3x2in"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["file"]).name == "toile-geometric-4-half-drop-5.08cm-panel-7.62x5.08cm-150dpi.tif"
    with Image.open(told["file"]) as image:
        assert image.size == (told["width"], told["height"]) == (450, 300)
    assert told["effective_dpi"] == 150 and told["request"]["repeat"] == "half-drop"
    assert main([*asked, "--kind", "plates"]) == 0
    assert len(json.loads(capsys.readouterr().out)["plates"]) == 5


def test_print_refuses_in_one_line(tmp_path, capsys):
    plain = tmp_path / "plain.png"
    Image.new("RGB", (40, 20), "#9c2a2e").save(plain)
    Image.new("RGB", (40, 40), "#9c2a2e").save(square := tmp_path / "square.png")
    for tile, wrong, why in (
        (plain, [], "square"),
        (square, ["--scale", "150cm"], "as large as"),
        (square, ["--profile", "no.icc"], "cannot be read"),
    ):
        assert main(["print", str(tile), "--out", str(tmp_path), *wrong]) == 2
        assert why in capsys.readouterr().err
