"""Training runs: begun by staff, watched, stopped at a checkpoint, gone on with; candidates made of them."""

from __future__ import annotations

import hashlib
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.urls import reverse
from safetensors.torch import save_file

from ml_backend.errors import BadInput
from ml_backend.models import Job, ModelVersion, TrainingRun
from ml_backend.packaging.package import save_folder_manifest
from ml_backend.serving import jobs, run_copies, training
from studio.workshop import curves, runs, services
from studio.workshop.models import TrainingPicture
from studio.workshop.presets import PRESETS, RULES

TRAINEE = Path(__file__).with_name("trainee.py")


@pytest.fixture(autouse=True)
def apart(monkeypatch):
    """A stand-in learns."""
    monkeypatch.setattr(training, "COMMAND", (sys.executable, str(TRAINEE)))
    monkeypatch.setattr(training, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(training, "TELL_SECONDS", 0.1)


@pytest.fixture
def make_set(picture):
    def make(owner, shared=False):
        data_set = services.make(owner, "Block prints", "crop", 128)
        services.share(data_set, shared)
        for number in range(1, 4):
            row = TrainingPicture(data_set=data_set, number=number, width=128, height=128)
            content = picture(128, 128, "PNG")
            row.image = row.file = default_storage.save(f"{row.folder}/file.png", ContentFile(content))
            row.caption, row.sha256 = "a floral dress in red", hashlib.sha256(content).hexdigest()
            row.save()
        services.freeze(data_set)
        return data_set

    return make


@pytest.fixture
def begin(staff, make_set):
    """A run of staff's: ``begin(steps=3, rate=0.01)``; the trainee takes the rate for seconds a step."""

    def make(owner=None, **asked):
        data_set = make_set(owner or staff)
        settings = {"steps": 3, "rate": 0.01, **asked}
        return runs.start(staff, data_set, None, PRESETS["lora"], "block-prints", settings)

    return make


def work(run):
    jobs.work_off("training", beating=False)
    run.refresh_from_db()
    return run


def go_on(run, steps):
    """As if it had been stopped where it ended, to go on to ``steps``."""
    Job.objects.filter(pk=run.job_id).update(state=Job.State.CANCELLED)
    TrainingRun.objects.filter(pk=run.pk).update(config={**run.config, "steps": steps})
    runs.resume(TrainingRun.objects.get(pk=run.pk))
    return work(TrainingRun.objects.get(pk=run.pk))


def posted(client, view, run, /, **data):
    return client.post(reverse(view, args=[run.pk]), data)


# ---- the run


@pytest.mark.django_db(transaction=True)
def test_it_trains_in_a_child_process_and_tells_how_it_stands(begin):
    run = work(begin())
    assert (run.job.state, runs.state_of(run), run.job.queue) == ("done", "done", "training")
    assert [one["step"] for one in run.curve] == [1, 2, 3]
    assert [one["step"] for one in run.samples] == [1, 2, 3]
    assert all(default_storage.exists(one["key"]) for one in run.samples)
    assert run.seconds > 0
    assert run.gpu_seconds == 0
    assert "Trained." in run.tail
    assert not (training.folder_of(run) / "data").exists(), "pictures lie there only while they are learned from"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("seed", "says"), [(13, "broke off"), (14, "The base does not fit.")])
def test_a_training_that_fails_says_why(begin, seed, says):
    run = work(begin(seed=seed))
    assert run.job.state == "failed"
    assert says in run.job.message


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["pause", "cancel"])
def test_paused_or_cancelled_it_stops_at_a_checkpoint_and_goes_on_from_there(begin, how):
    run = begin(steps=400, rate=0.02)
    worker = _worker()
    _until(lambda: TrainingRun.objects.get(pk=run.pk).curve)
    run.refresh_from_db()
    getattr(runs, how)(run)
    worker.join(30)
    run = TrainingRun.objects.select_related("job").get(pk=run.pk)
    assert (run.job.state, runs.state_of(run)) == ("cancelled", {"pause": "paused", "cancel": "cancelled"}[how])
    reached = run_copies.step_of(training.folder_of(run))
    assert 0 < reached < 400
    assert f"Stopped after step {reached}." in run.tail
    spent = run.seconds
    TrainingRun.objects.filter(pk=run.pk).update(config={**run.config, "steps": reached + 2})
    runs.resume(run)
    run = work(TrainingRun.objects.get(pk=run.pk))
    assert (runs.state_of(run), run.curve[-1]["step"]) == ("done", reached + 2)
    steps = [one["step"] for one in training.run_folder.read_log(training.folder_of(run))]
    assert steps == list(range(1, reached + 3)), "no step was made twice"
    assert run.seconds > spent


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_asked_to_end_hands_the_run_back(begin, monkeypatch):
    run = begin(steps=400, rate=0.02)
    monkeypatch.setattr(training, "_leaving", None)
    training.listen()
    worker = _worker()
    _until(lambda: TrainingRun.objects.get(pk=run.pk).curve)
    training.leave()
    worker.join(30)
    run.job.refresh_from_db()
    assert (run.job.state, run.job.attempt) == ("queued", 0)
    assert 0 < run_copies.step_of(training.folder_of(run)) < 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("comes_to", "attempt"), [(5, 3), (6, 1)])
def test_workers_that_died_are_forgiven_only_where_one_comes_further(begin, monkeypatch, comes_to, attempt):
    """A run that kills whatever works at it at the same step must not do so for ever."""
    run = begin(steps=10)
    folder = training.folder_of(run)
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text('{"step": 5, "loss": 1.0}\n')
    Job.objects.filter(pk=run.job_id).update(attempt=2)

    def attend(run, recipe, *, progress, should_stop, steps):
        for step in (3, 4, comes_to):  # the log goes back to the checkpoint first
            progress(step / steps, "at work")

    monkeypatch.setattr(training, "attend", attend)
    run = work(run)
    assert (run.job.state, run.job.attempt) == ("done", attempt)


@pytest.mark.django_db(transaction=True)
def test_a_run_goes_on_with_a_worker_on_another_machine(begin, lora, settings):
    settings.RUN_COPY_BYTES = 1_000_000
    run = work(begin(steps=3))
    lora(training.folder_of(run), 2)
    assert run.copy["step"] == 3
    first = run.copy["key"]
    run = go_on(run, 5)
    assert (run.copy["step"], default_storage.exists(first)) == (5, False)

    shutil.rmtree(training.folder_of(run))  # another machine's disk
    run = go_on(run, 6)
    assert runs.state_of(run) == "done"
    steps = [one["step"] for one in training.run_folder.read_log(training.folder_of(run))]
    assert steps == [1, 2, 3, 4, 5, 6], "no step was made twice"

    shutil.rmtree(training.folder_of(run))
    assert runs.keep(run, run.owner, 2).recipe["step"] == 2, "a candidate of a package that lay elsewhere"
    runs.forget(run)
    assert not default_storage.exists(run.copy["key"])


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_is_damaged_is_not_gone_on_from(begin, settings):
    settings.RUN_COPY_BYTES = 1_000_000
    run = work(begin(steps=1))
    default_storage.delete(run.copy["key"])
    assert default_storage.save(run.copy["key"], ContentFile(b"no tar")) == run.copy["key"]
    shutil.rmtree(training.folder_of(run))
    assert "is damaged" in go_on(run, 2).job.message


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("room", [0, 100])
def test_what_is_too_large_to_copy_is_not_copied(begin, settings, room):
    settings.RUN_COPY_BYTES = room
    run = work(begin())
    assert (run.job.state, run.copy) == ("done", {})


@pytest.mark.django_db(transaction=True)
def test_a_store_that_is_away_costs_the_copy_and_not_the_training(begin, settings, monkeypatch):
    settings.RUN_COPY_BYTES = 1_000_000

    def away(*_):
        raise ConnectionError

    monkeypatch.setattr(run_copies, "_keep", away)
    run = work(begin())
    assert (run.job.state, run.copy) == ("done", {})


@pytest.mark.django_db(transaction=True)
def test_two_workers_are_never_at_one_run(begin, monkeypatch):
    monkeypatch.setattr(training, "TAKE_OVER_SECONDS", 0.2)
    run = begin()
    folder = training.folder_of(run)
    folder.mkdir(parents=True)
    with training._alone_in(folder):
        assert "Another worker" in work(run).job.message
    runs.resume(run)
    assert work(run).job.state == "done"


def _worker():
    def work():
        try:
            jobs.work_off("training", most=1)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def _until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


# ---- what is refused


@pytest.mark.django_db
def test_what_would_not_fit_is_refused_with_an_estimate_before_it_starts(begin, monkeypatch):
    monkeypatch.setattr(training, "free_memory", lambda _: 100_000_000)
    with pytest.raises(BadInput, match=r"would not fit: of memory 95.4.MB are free here. About \d.\d GB of memory"):
        begin()
    monkeypatch.undo()
    monkeypatch.setattr(training, "free_disk", lambda: 1000)
    with pytest.raises(BadInput, match="not fit on the disk"):
        runs.check_fits(runs.make_recipe({"recipe": "lora", "data_dir": "data", "resolution": 128}))
    assert not TrainingRun.objects.exists()
    assert not Job.objects.filter(kind="train").exists()


@pytest.mark.django_db(transaction=True)
def test_the_worker_looks_again_whether_it_fits(begin, monkeypatch):
    run = begin()
    monkeypatch.setattr(training, "free_memory", lambda _: 100_000_000)
    run = work(run)
    assert "would not fit" in run.job.message
    assert not (training.folder_of(run) / "log.jsonl").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"steps": 0}, "number of steps"),
        ({"resolution": 100}, "multiple of 8"),
        ({"rate": 2.0}, "learning rate"),
        ({"rank": 5000}, "rank"),
    ],
)
def test_settings_keep_to_the_recipes_rules(begin, asked, says):
    with pytest.raises(BadInput, match=says):
        begin(**asked)


@pytest.mark.django_db
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_recipe(staff, make_set, preset):
    asked = {"instance_prompt": "a photo of sks dress", "class_prompt": "a photo of a dress"}
    run = runs.start(staff, make_set(staff), None, PRESETS[preset], f"try-{preset}", asked)
    assert run.config["recipe"] == PRESETS[preset].recipe
    assert run.config["resolution"] == 192, "as large as the base was trained"
    assert run.config["sample_prompts"]
    assert set(run.config) & set(RULES)


@pytest.mark.django_db
def test_one_thing_wants_words_and_a_run_a_frozen_set_and_a_name(staff, make_set):
    frozen, loose = make_set(staff), services.make(staff, "Loose", "crop", 128)
    with pytest.raises(BadInput, match="rare word"):
        runs.start(staff, frozen, None, PRESETS["dreambooth"], "x", {})
    with pytest.raises(BadInput, match="Freeze"):
        runs.start(staff, loose, None, PRESETS["lora"], "x", {})
    for name in ("", "two words", "../up", "x" * 61):
        with pytest.raises(BadInput, match="Name it"):
            runs.start(staff, frozen, None, PRESETS["lora"], name, {})


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_pictures_are_deleted_cannot_go_on(begin):
    run = work(begin(seed=13))
    runs.data_set_of(run).delete()
    with pytest.raises(BadInput, match="is gone"):
        runs.resume(run)


# ---- candidates


@pytest.fixture
def lora(tmp_path):
    """Write a LoRA as a package into a run's folder."""

    def write(folder, step):
        path = training.package_at(folder, step)
        path.mkdir(parents=True)
        weights = torch.full((2, 8), float(step + 1))
        name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight"
        save_file({name: weights}, path / "pytorch_lora_weights.safetensors")
        save_folder_manifest(path, name=folder.name, capability="lora", architecture="lora")

    return write


@pytest.mark.django_db(transaction=True)
def test_a_candidate_is_made_of_a_checkpoint(begin, lora, staff, client_of):
    run = begin()
    folder = training.folder_of(run)
    for step in (2, 0):
        lora(folder, step)
    run = work(run)
    assert run.checkpoints == [2, 0]
    assert posted(client_of(staff), "training-run-candidate", run, step=2).status_code == 302
    jobs.work_off("default", beating=False)
    run.refresh_from_db()
    version = run.result
    assert (version.name, version.status, version.origin, version.owner) == (
        "block-prints",
        "candidate",
        "trained",
        None,
    )
    assert (version.data_sha256, version.recipe["run"], version.recipe["step"]) == (run.data_sha256, run.pk, 2)
    assert "/" not in version.recipe["data_dir"], "nothing of this machine stands in it"
    assert posted(client_of(staff), "training-run-candidate", run, step=99).status_code == 302
    assert ModelVersion.objects.count() == 1
    page = client_of(staff).get(reverse("training-run", args=[run.pk])).content.decode()
    assert version.reference in page


@pytest.mark.django_db(transaction=True)
def test_what_comes_of_a_designers_pictures_is_theirs_alone(staff, person, make_set, lora):
    run = runs.start(staff, make_set(person, shared=True), None, PRESETS["lora"], "block-prints", {"steps": 1})
    lora(training.folder_of(run), 0)
    version = runs.keep(work(run), staff, 0)
    assert (run.made_for, version.owner, version.status) == (person, person, "candidate")


@pytest.mark.django_db(transaction=True)
def test_a_deleted_run_leaves_no_file_and_its_candidates_stay(begin, lora, staff, client_of):
    run = begin()
    lora(training.folder_of(run), 0)
    address = reverse("training-run-delete", args=[run.pk])
    client_of(staff).post(address)
    assert TrainingRun.objects.exists(), "not while it is under way"
    run = work(run)
    runs.keep(run, staff, 0)
    folder, keys = training.folder_of(run), [one["key"] for one in run.samples]
    assert client_of(staff).get(address).status_code == 200
    client_of(staff).post(address)
    assert not TrainingRun.objects.exists()
    assert not folder.exists()
    assert not any(default_storage.exists(key) for key in keys)
    assert ModelVersion.objects.count() == 1


# ---- pages


@pytest.mark.django_db
def test_runs_are_staffs_alone(begin, person, make_person, client_of):
    run = begin()
    views = ("training-run", "training-run-status", "training-run-delete")
    doing = ("pause", "resume", "cancel", "candidate", "delete")
    for who in (person, make_person("guest-1", is_guest=True), None):
        client, expected = client_of(who), 404
        assert client.get(reverse("training-runs")).status_code == expected
        assert client.post(reverse("training-runs"), {}).status_code == expected
        assert client.get(reverse("training-run-sample", args=[run.pk, 1])).status_code == expected
        for view in views:
            assert client.get(reverse(view, args=[run.pk])).status_code == expected
        for name in doing:
            assert posted(client, f"training-run-{name}", run, step=0).status_code == expected
    run.job.refresh_from_db()
    assert run.job.state == "queued"


@pytest.mark.django_db
def test_staff_begin_a_run_on_the_page(staff, person, make_set, client_of):
    client, address = client_of(staff), reverse("training-runs")
    assert "no frozen data set" in client.get(address).content.decode()
    data_set, private = make_set(staff), make_set(person)
    asked = {"data_set": data_set.pk, "preset": "lora", "name": "block-prints", "steps": 12}
    chosen = client.get(f"{address}?data={data_set.pk}").content.decode()
    assert f'value="{data_set.pk}" selected' in chosen
    assert str(private.pk) not in client.get(address).content.decode()
    answer = client.post(address, asked)
    run = TrainingRun.objects.get()
    assert answer.headers["Location"] == reverse("training-run", args=[run.pk])
    assert (run.config["steps"], run.config["rank"], run.owner) == (12, 8, staff)
    for wrong in (
        {**asked, "data_set": private.pk},
        {**asked, "data_set": "x"},
        {**asked, "preset": "magic"},
        {**asked, "base": "none@0"},
        {**asked, "steps": -1},
        {**asked, "name": "no spaces please"},
    ):
        answer = client.post(address, wrong)
        assert answer.status_code == 422
        assert 'class="note error"' in answer.content.decode()
    assert TrainingRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_curve_samples_and_log(begin, staff, client_of):
    run = work(begin())
    page = client_of(staff).get(reverse("training-run", args=[run.pk])).content.decode()
    for shown in ("<polyline", "Loss from 1 to 0.333 over 3 steps", "Samples at step 3", "Trained.", "Done."):
        assert shown in page
    assert "data-follow" not in page
    sheet = client_of(staff).get(reverse("training-run-sample", args=[run.pk, 3]))
    assert (sheet.status_code, sheet.headers["Content-Type"]) == (200, "image/webp")
    assert client_of(staff).get(reverse("training-run-sample", args=[run.pk, 9])).status_code == 404


@pytest.mark.django_db
def test_pages_follow_a_run_that_is_under_way(begin, staff, client_of):
    run = begin()
    client = client_of(staff)
    assert "data-follow" in client.get(reverse("training-run-status", args=[run.pk])).content.decode()
    posted(client, "training-run-pause", run)
    run.refresh_from_db()
    assert runs.state_of(run) == "paused"
    page = client.get(reverse("training-run", args=[run.pk])).content.decode()
    assert "Go on" in page
    posted(client, "training-run-pause", run)  # repeated, it says why not
    posted(client, "training-run-resume", run)
    run = TrainingRun.objects.get()
    assert (runs.state_of(run), run.job.state) == ("queued", "queued")


def test_a_curve_is_thinned_and_drawn_within_its_frame():
    log = [{"step": step, "loss": 1 / step, "note": "x"} for step in range(1, 2001)] + [{"step": 2001, "loss": 0.5}]
    points = training.thinned(log)
    assert len(points) <= training.MOST_POINTS + 1
    assert points[-1] == {"step": 2001, "loss": 0.5}
    drawing = curves.drawn(points, 2001)
    pairs = [tuple(map(float, pair.split(","))) for pair in drawing.lines[0].points.split()]
    assert all(0 <= x <= curves.WIDTH and 0 <= y <= curves.HEIGHT for x, y in pairs)
    assert curves.drawn([{"step": 1, "loss": 1.0}], 10) is None
    assert curves.drawn([{"step": 1, "loss": float("nan")}, {"step": 2, "loss": 1.0}], 10) is None
