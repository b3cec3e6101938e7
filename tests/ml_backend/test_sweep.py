"""Sweeps: what they are, that a kill in the middle costs nothing, and that KID alone chooses."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import ml_backend
from ml_backend import training
from ml_backend.cli import main
from ml_backend.errors import BadInput, LibraryError, Stopped
from ml_backend.evaluation.table import Row
from ml_backend.packaging import Package
from ml_backend.sweep import plots, running
from ml_backend.sweep.folder import Folder, Judged
from ml_backend.sweep.plan import make_plan, read_plan
from ml_backend.sweep.report import table, write_report
from ml_backend.sweep.running import sweep
from ml_backend.training.captioned import CaptionedRecipe
from ml_backend.training.data.captioned_folder import records
from tests.ml_backend.finetuning_tiny import TINY, draw_set
from tests.ml_backend.tiny import tiny_inpaint

SHIPPED = Path(ml_backend.__file__).parent / "sweep" / "recipes"
REPOSITORY = Path(ml_backend.__file__).parent.parent


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The JSON of a sweep of two settings on a tiny base."""
    folder = tmp_path_factory.mktemp("sweep")
    tiny_inpaint(folder / "base")
    recipe = {
        **TINY,
        "base": str(folder / "base"),
        "data_dir": str(draw_set(folder / "set", 20)),
        "steps": 4,
        "epoch_steps": 2,
        "save_every": 2,
        "batch": 1,
        "validation": 0.4,
        "masks": "random",
    }
    settings = [{"rank": 2, "rate": 1e-3}, {"rank": 4, "rate": 1e-2}]
    return {"recipe": recipe, "settings": settings, "count": 8, "steps": 1, "size": 64}


@pytest.fixture(scope="module")
def finished(written, tmp_path_factory):
    """A sweep that nothing disturbed: its plan and its folder."""
    path = tmp_path_factory.mktemp("whole") / "sweep"
    torch.set_num_threads(1)
    sweep(make_plan(written), path)
    return make_plan(written), Folder(path)


def figures(folder, plan):
    """The table without what depends on the clock."""
    return [{key: value for key, value in row.items() if key != "seconds"} for row in table(folder, plan)]


def test_every_setting_has_a_row_with_kid_fid_number_and_deviation(finished):
    _plan, folder = finished
    rows = [json.loads(line) for line in (folder.path / "table.jsonl").read_text().splitlines()]

    assert [(row["rank"], row["rate"], row["state"]) for row in rows] == [(2, 1e-3, "finished"), (4, 1e-2, "finished")]
    for row in rows:
        assert row["best_step"] in (2, 4)
        assert row["n"] == 8
        assert row["kid_deviation"] > 0
        assert row["fid"] > 0
        assert row["fid_deviation"] > 0
        assert row["features"].startswith("classifier-starter@")
        assert row["seconds"] > 0
    with (folder.path / "table.csv").open() as file:
        assert [row["setting"] for row in csv.DictReader(file)] == ["rank2-rate0.001", "rank4-rate0.01"]
    said = (folder.path / "table.md").read_text()
    assert said.count("\n| ") == 4, "a head, two settings and the model as it was"
    assert "± " in said
    assert "n = 8" in said


def test_the_best_is_the_lowest_kid_and_its_package_is_kept(finished):
    plan, folder = finished
    rows = table(folder, plan)
    lowest = min(
        (judged.kid.value, name) for name in (row["setting"] for row in rows) for judged in folder.judged(name)
    )

    assert [row["setting"] for row in rows if row["best"]] == [lowest[1]]
    said = json.loads((folder.path / "best.json").read_text())
    assert (said["kid"], said["setting"]) == lowest
    kept = load_file(Package.load(folder.path / "best").path / "pytorch_lora_weights.safetensors")
    there = folder.run(said["setting"]) / "packages" / f"{said['step']:06d}" / "pytorch_lora_weights.safetensors"
    assert all(torch.equal(weight, load_file(there)[name]) for name, weight in kept.items())


def test_the_model_as_it_was_stands_beside_and_the_settings_differ_from_it(finished):
    _plan, folder = finished
    base = folder.base()

    assert base.step == 0
    assert all(judged.kid.value != base.kid.value for judged in folder.judged("rank4-rate0.01"))
    assert "before" in (folder.path / "table.md").read_text()


def test_plots_are_drawings_and_sheets_show_every_epoch_and_prompt(finished):
    _plan, folder = finished
    for name in ("kid", "kid-steps", "loss-steps"):
        root = ElementTree.parse(folder.path / "plots" / f"{name}.svg").getroot()
        said = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"rank2-rate0.001", "rank4-rate0.01"} <= set(said)
    with Image.open(folder.path / "sheets" / "rank2-rate0.001.png") as sheet:
        assert sheet.width == 2 * 32, "two prompts"
        assert sheet.height == 2 * (32 + 16), "two epochs"
    with Image.open(folder.path / "sheets" / "best.png") as sheet:
        assert sheet.height == 2 * (32 + 16), "two settings"


def test_a_sweep_that_is_finished_is_not_repeated(finished, monkeypatch):
    plan, folder = finished
    monkeypatch.setattr(running.training, "train", lambda *args, **options: pytest.fail("trained again"))
    monkeypatch.setattr(running.Judge, "judge", lambda *args: pytest.fail("judged again"))

    assert [result.state for result in sweep(plan, folder.path, resume=True)] == ["finished", "finished"]


def test_a_folder_with_a_sweep_is_not_overwritten_and_another_sweep_is_refused(finished, written):
    plan, folder = finished

    with pytest.raises(BadInput, match="--resume"):
        sweep(plan, folder.path)
    with pytest.raises(BadInput, match="another sweep"):
        sweep(make_plan({**written, "count": 9}), folder.path, resume=True)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["training", "judging"])
def test_a_kill_in_the_middle_costs_nothing_that_was_done(finished, written, tmp_path, moment):
    """Killed hard in the second setting, then gone on with: the same figures, and the first setting is not touched."""
    plan, whole = finished
    (tmp_path / "sweep.json").write_text(json.dumps(written))
    first, second = (setting.name for setting in plan.settings)
    killed = Folder(tmp_path / "out")
    waited = killed.run(second) / "log.jsonl" if moment == "training" else killed.path / "judged" / f"{second}.jsonl"
    command = [sys.executable, "-m", "ml_backend", "sweep", str(tmp_path / "sweep.json"), "--run-dir", str(killed.path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, start_new_session=True)
    for _ in range(2400):
        if waited.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert killed.is_done(first)
    assert not killed.is_done(second)
    before = {path: path.stat().st_mtime_ns for path in killed.run(first).rglob("*") if path.is_file()}
    done_of_second = killed.judged(second)

    subprocess.run([*command, "--resume"], cwd=REPOSITORY, env=environment, check=True, capture_output=True)

    assert figures(killed, plan) == figures(whole, plan)
    assert {path: path.stat().st_mtime_ns for path in killed.run(first).rglob("*") if path.is_file()} == before
    assert killed.judged(second)[: len(done_of_second)] == done_of_second
    steps = [json.loads(line)["step"] for line in (killed.run(second) / "log.jsonl").read_text().splitlines()]
    assert sorted(steps) == sorted(
        json.loads(line)["step"] for line in (whole.run(second) / "log.jsonl").read_text().splitlines()
    )


def test_asked_to_stop_it_stops_and_keeps_what_is_known(written, tmp_path):
    with pytest.raises(Stopped):
        sweep(make_plan(written), tmp_path, should_stop=lambda: True)

    assert not list((tmp_path / "done").iterdir())


def test_a_setting_that_fails_is_noted_and_the_others_go_on(written, tmp_path, monkeypatch):
    plan = make_plan(written)

    def train(recipe, run, **options):
        if recipe.rank == 2:
            raise LibraryError("The training has left the numbers.")
        training.train(recipe, run, **options)

    monkeypatch.setattr(running, "training", type("Module", (), {"train": staticmethod(train)}))
    first, second = sweep(plan, tmp_path)

    assert (first.state, first.failed) == ("failed", "The training has left the numbers.")
    assert second.state == "finished"
    assert [row["best"] for row in table(Folder(tmp_path), plan)] == [False, True]
    assert "left the numbers" in (tmp_path / "table.md").read_text()


def test_of_checkpoints_the_loss_chooses_nothing(written, tmp_path):
    plan = make_plan(written)
    folder = Folder(tmp_path)
    folder.open(plan, resume=False)

    def judged(step, kid, loss):
        return Judged(step, Row("kid", kid, 0.1, 8, "eyes"), Row("fid", 1.0, None, 8, "eyes"), loss)

    for name, values in zip(("rank2-rate0.001", "rank4-rate0.01"), ((0.5, 0.2, 0.3), (0.9, 0.4, 0.8)), strict=True):
        for number, kid in enumerate(values):
            folder.add(name, judged(2 * number + 2, kid, 0.1 if kid == max(values) else 0.9))
        folder.finish(name)
    write_report(folder, plan)

    assert [(row["best_step"], row["best"]) for row in table(folder, plan)] == [(4, True), (4, False)]


def test_from_the_shell_it_says_the_table(finished, tmp_path, capsys):
    plan, folder = finished
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps(plan.written))

    assert main(["sweep", str(path), "--run-dir", str(folder.path), "--resume", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [row["setting"] for row in answer["table"]] == [setting.name for setting in plan.settings]
    assert main(["sweep", str(path), "--run-dir", str(folder.path)]) == 2
    assert "already holds a sweep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"recipe": None}, "is no sweep"),
        ({"settings": []}, "no settings"),
        ({"settings": [{}]}, "no settings"),
        ({"settings": ["rank"]}, "no settings"),
        ({"settings": [{"rank": 2}, {"rank": 2}]}, "twice"),
        ({"settings": [{"rank": 0}]}, "rank"),
        ({"settings": [{"colour": 2}]}, "colour"),
        ({"settings": [{"seed": 1}, {"seed": 2}]}, "not judged by the same"),
        ({"settings": [{"validation": 0.0}]}, "validation"),
        ({"settings": [{"recipe": "unet", "street_dir": "x"}]}, "."),
        ({"count": 2}, "number of pictures"),
        ({"speed": 2}, "speed"),
    ],
)
def test_what_is_no_sweep_is_refused_with_a_sentence(written, change, sentence):
    with pytest.raises(BadInput, match=sentence):
        make_plan({**written, **change})


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_file_that_is_no_sweep_is_refused(tmp_path, content):
    path = tmp_path / "sweep.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(BadInput, match="sweep"):
        read_plan(path)


def test_too_few_pictures_held_out_are_refused_before_anything_is_trained(written, tmp_path):
    few = draw_set(tmp_path / "few", 3)
    plan = make_plan({**written, "recipe": {**written["recipe"], "data_dir": str(few), "validation": 0.1}})

    with pytest.raises(BadInput, match="held out"):
        sweep(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_shipped_sweeps_are_the_nine_settings_of_the_published_table():
    for name in ("lora-sweep-starter", "lora-sweep-published"):
        plan = read_plan(SHIPPED / f"{name}.json")
        recipes = [setting.recipe for setting in plan.settings]
        assert len(recipes) == 9
        assert {recipe.rank for recipe in recipes} == {2, 4, 6, 10}
        assert {recipe.batch for recipe in recipes} == {1, 3, 6}
        assert (min(recipe.rate for recipe in recipes), max(recipe.rate for recipe in recipes)) == (1e-6, 1e-4)


def test_the_pictures_of_the_starters_sweep_need_no_data_set(tmp_path):
    recipe = training.read_recipe(SHIPPED / "lora-sweep-pictures.json")
    assert isinstance(recipe, CaptionedRecipe)
    training.train(replace(recipe, count=4, size=48), tmp_path)

    found = records(tmp_path / "folder")
    assert len(found) == 4
    assert all(one.text and one.mask is None and one.path.is_file() for one in found)


def test_a_chart_is_drawn_of_any_numbers():
    for values in ([], [0.0], [1e-9, 2e-9], [-5.0, 5e6], [3.0] * 20):
        points = [(float(step), value) for step, value in enumerate(values)]
        drawn = plots.lines("a < b", "steps", "KID", {"one & two": points, "none": []}, ("before", 1.0))
        ElementTree.fromstring(drawn)
        ElementTree.fromstring(plots.bars("t", "KID", {str(n): (value, None) for n, value in enumerate(values)}))
        assert "nan" not in drawn
