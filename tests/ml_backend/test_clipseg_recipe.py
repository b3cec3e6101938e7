"""The recipe of the small CLIPSeg and its data, at a size that trains in seconds."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend import training
from ml_backend.errors import BadInput, Stopped
from ml_backend.evaluation.text_mask import measure, street_pairs
from ml_backend.packaging import Package
from ml_backend.pipelines.text_mask import TextMaskPipeline
from ml_backend.requests import TextMaskRequest
from ml_backend.training.clipseg import (
    GROUP_WEIGHTS,
    GROUPS,
    ClipSegRecipe,
    Draws,
    Student,
    choose_tokenizer,
    go_on_from,
    group_loss,
    make_batch,
    phrase_losses,
    side_at,
    train,
)
from ml_backend.training.data.cloth import IGNORE, held_out
from ml_backend.training.data.concepts import (
    CONCEPTS,
    JUDGED,
    LEAVES,
    MOST_TOKENS,
    STREET_LABELS,
    all_phrases,
    divide_skin,
    phrase_for,
    read_single_leaves,
    read_street_leaves,
    truth_table,
)
from ml_backend.training.run import Run
from ml_backend.training.tokenizer import make_tokenizer

DRESS, SHOES, SKIN = (LEAVES.index(name) for name in ("dress", "shoes", "skin"))
NAMES = [concept.name for concept in CONCEPTS]


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small spend their time waiting for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def recipe(street_folder):
    return ClipSegRecipe(
        street_dir=str(street_folder),
        frame=(48, 32),
        warm_side=32,
        warm=2,
        side=32,
        fine_side=48,
        patch=8,
        width=32,
        layers=2,
        heads=2,
        extract=(0, 1),
        reduce=16,
        text_width=32,
        text_layers=1,
        vocabulary=600,
        batch=4,
        prompts=3,
        steps=6,
        cooldown=2,
        evaluate_every=2,
    )


@pytest.fixture
def street(street_folder):
    return read_street_leaves(street_folder, (48, 32), validation=False)


def test_every_leaf_that_a_concept_names_exists():
    assert len(STREET_LABELS) == 59
    assert {leaf for concept in CONCEPTS for leaf in (*concept.yes, *concept.maybe)} <= set(LEAVES)
    assert set(JUDGED) <= set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_parents_cover_their_children():
    table = dict(zip(NAMES, truth_table(), strict=True))
    for child, parent in (("jeans", "pants"), ("blouse", "shirt"), ("boots", "shoes"), ("dress", "clothes")):
        meant = table[child] == 1
        assert (table[parent][meant] == 1).all(), f"{child} is {parent}"
    assert (table["dress"][LEAVES.index("skirt")], table["coat"][LEAVES.index("jacket")]) == (0, IGNORE)
    assert not (table["absent"] == 1).any()
    assert (truth_table()[:, IGNORE] == IGNORE).all()


def test_groups_are_apart_and_each_has_a_weight():
    leaves = [leaf for group in GROUPS for leaf in group]
    assert len(leaves) == len(set(leaves))
    assert set(leaves) <= set(LEAVES)
    assert len(GROUP_WEIGHTS) == len(GROUPS)


def test_skin_is_divided_by_height():
    labels = np.zeros((100, 40), np.uint8)
    labels[2:98, 10:30] = DRESS
    for rows in (slice(5, 12), slice(40, 50), slice(80, 95)):
        labels[rows, 15:20] = SKIN
    leaves = divide_skin(labels)
    assert [LEAVES[leaves[row, 17]] for row in (8, 45, 90)] == ["face", "arms", "legs"]
    assert (leaves[labels == DRESS] == DRESS).all()
    assert not divide_skin(np.zeros((5, 5), np.uint8)).any()


def test_held_out_photos_are_those_of_the_unet(street_folder):
    kept = sum(held_out(f"{index:04d}") for index in range(40))
    assert len(read_street_leaves(street_folder, (48, 32), validation=True)) == kept
    assert len(street_pairs(street_folder)) == kept
    assert len(read_street_leaves(street_folder, (48, 32), validation=False)) == 40 - kept


def test_single_garments_keep_what_their_folder_leaves_open(tmp_path):
    for folder in ("skirt", "outwear"):
        for kind in ("photos", "mattes"):
            (tmp_path / kind / folder).mkdir(parents=True)
        for index in range(6):
            Image.new("RGB", (20, 30), "white").save(tmp_path / "photos" / folder / f"{index}.jpg")
            Image.new("1", (20, 30), 1).save(tmp_path / "mattes" / folder / f"{index}.png")
    found = read_single_leaves(tmp_path / "photos", tmp_path / "mattes", (32, 32), validation=False)
    assert {LEAVES[leaf] for leaf in found.leaves.unique().tolist() if leaf != IGNORE} == {"skirt", "single outwear"}


def test_other_label_sets_are_refused(street_folder):
    (street_folder / "labels.txt").write_text("0 null\n14 sofa\n")
    with pytest.raises(BadInput, match="14 sofa"):
        read_street_leaves(street_folder, (48, 32), validation=True)


def test_phrases_name_the_concept():
    rng = np.random.default_rng(0)
    for concept in CONCEPTS:
        for _ in range(5):
            phrase = phrase_for(concept, rng)
            assert any(word in phrase for word in concept.words)


def test_phrases_fit_the_network(tmp_path):
    tokenizer = make_tokenizer(all_phrases(), tmp_path, 900, MOST_TOKENS)
    assert max(len(ids) for ids in tokenizer(sorted(set(all_phrases())))["input_ids"]) <= MOST_TOKENS


def test_what_is_asked_mostly_occurs(street):
    draws = Draws(street, 0.75)
    rng = np.random.default_rng(1)
    asked = [concept for photo in range(20) for concept in draws.concepts(photo, 10, rng)]
    occurs = [draws.occurs[0][concept] for concept in asked]
    assert 0.65 < np.mean(occurs) < 0.85
    assert not (draws.occurs & draws.absent).any()
    assert draws.occurs[0][NAMES.index("dress")]
    assert draws.absent[0][NAMES.index("car")] if "car" in NAMES else draws.absent[0][NAMES.index("absent")]


def test_batch_depends_on_seed_and_step_alone(recipe, street, tmp_path):
    tokenizer = make_tokenizer(all_phrases(), tmp_path, recipe.vocabulary, MOST_TOKENS)
    first, again, later = (make_batch(recipe, step, [Draws(street, 0.75)], tokenizer) for step in (3, 3, 4))
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.truth, again.truth)
    assert torch.equal(first.tokens["input_ids"], again.tokens["input_ids"])
    assert not torch.equal(first.pixels, later.pixels)
    assert first.truth.shape == (4, 3, 32, 32)
    assert first.tokens["input_ids"].shape[0] == 12


def test_stages(recipe):
    longer = dataclasses.replace(recipe, warm=10, steps=30, fine_from=0.5)
    assert [side_at(longer, step) for step in (0, 9, 10, 19, 20, 29)] == [32, 32, 32, 32, 48, 48]


def test_losses_prefer_the_truth_and_skip_the_unknown():
    truth = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    truth[:, 0, 2:5] = 1
    truth[:, 1, :, :2] = IGNORE
    right = torch.where(truth == 1, 6.0, -6.0)
    wrong = right.roll(3, dims=2)
    good, bad = phrase_losses(right, truth), phrase_losses(wrong, truth)
    assert good["cross_entropy"] < bad["cross_entropy"]
    assert good["overlap"] < 0.05 < bad["overlap"]
    noisy = right.clone()
    noisy[truth == IGNORE] = 9.0
    torch.testing.assert_close(phrase_losses(noisy, truth), good)
    nothing = phrase_losses(right[:, 2:], truth[:, 2:])
    assert nothing["overlap"] == 0, "what does not occur has no overlap"


def test_group_loss_prefers_the_truth():
    leaves = torch.zeros(1, 8, 8, dtype=torch.int64)
    leaves[:, 4:] = DRESS
    dress = next(index for index, group in enumerate(GROUPS) if "dress" in group)
    right = torch.zeros(1, len(GROUPS), 4, 4)
    right[:, 0, :2], right[:, dress, 2:] = 8, 8
    assert group_loss(right, leaves) < group_loss(right.flip(2), leaves)
    assert group_loss(right, torch.full_like(leaves, IGNORE)) == 0


def test_training_learns_to_tell_words_apart(recipe, street_folder, tmp_path):
    longer = dataclasses.replace(
        recipe, warm=60, steps=220, cooldown=60, rate=3e-3, batch=8, evaluate_every=220, ema=0.9, side=48, warm_side=48
    )
    train(longer, Run(tmp_path / "run", longer))
    (entry,) = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert entry["iou_dress"] > 0.5
    assert (tmp_path / "run/samples/000220.png").stat().st_size > 1000
    package = Package.load(tmp_path / "run/package")
    for name in ("config.json", "model.safetensors", "preprocessor_config.json", "vocab.json", "merges.txt"):
        assert name in package.manifest.files
    pipeline = TextMaskPipeline(package)
    photo, _ = street_pairs(street_folder)[0]
    found = pipeline(Image.open(photo), TextMaskRequest("the dress"))
    assert found.phrases[0].confidence > 0.5
    figures = measure(pipeline, street_pairs(street_folder))
    assert figures["iou_dress"] > 0.4
    assert figures["exact_dress"] == pytest.approx(figures["iou_dress"], abs=0.05)
    assert 0 <= figures["quiet"] <= 1


def test_weights_are_halves_and_load_as_floats(recipe, tmp_path):
    from safetensors.torch import load_file
    from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

    train(recipe, Run(tmp_path / "run", recipe))
    folder = tmp_path / "run/package"
    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {torch.float16}
    network = CLIPSegForImageSegmentation.from_pretrained(folder, local_files_only=True)
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    processor = CLIPSegProcessor.from_pretrained(folder, local_files_only=True)
    inputs = processor(text=["the dress"], images=[Image.new("RGB", (60, 90))], return_tensors="pt")
    assert inputs["pixel_values"].shape == (1, 3, 48, 48)
    with torch.no_grad():
        assert network(**inputs).logits.shape[-1] in (24, 48)


def test_resume_after_a_kill_gives_the_same_curve(recipe, tmp_path):
    def curve(path):
        return [
            {key: value for key, value in json.loads(line).items() if key != "seconds"}
            for line in (path / "log.jsonl").read_text().splitlines()
        ]

    train(recipe, Run(tmp_path / "whole", recipe))
    asked = iter([False] * 3 + [True])
    with pytest.raises(Stopped):
        train(recipe, Run(tmp_path / "halved", recipe), should_stop=lambda: next(asked))
    train(recipe, Run(tmp_path / "halved", recipe, resume=True))
    # Half precision sums in another order now and then, so not to the last digit.
    whole = [pytest.approx(line, rel=5e-3, abs=1e-6) for line in curve(tmp_path / "whole")]
    assert curve(tmp_path / "halved") == whole


def test_a_run_goes_on_from_a_run_or_a_package(recipe, tmp_path):
    short = dataclasses.replace(recipe, steps=2, warm=0)
    train(short, Run(tmp_path / "run", short))
    wider = dataclasses.replace(short, fine_side=32)
    for folder, tolerance in ((tmp_path / "run", 0), (tmp_path / "run/package", 2e-3)):
        student = Student(wider, recipe.vocabulary)
        go_on_from(student, folder)
        state = torch.load(tmp_path / "run/checkpoint.pt", weights_only=True)["ema"]["network"]
        name = "model.decoder.film_mul.weight"
        torch.testing.assert_close(student.state_dict()[name], state[name], atol=tolerance, rtol=0)
        assert student.model.clip.vision_model.embeddings.position_embedding.weight.shape == (17, 32)
    with pytest.raises(BadInput, match="does not fit"):
        go_on_from(Student(dataclasses.replace(wider, reduce=32), recipe.vocabulary), tmp_path / "run")
    with pytest.raises(BadInput, match="neither a run nor a package"):
        go_on_from(student, tmp_path)


def test_a_run_that_goes_on_keeps_its_tokens_though_the_words_have_changed(recipe, tmp_path, monkeypatch):
    short = dataclasses.replace(recipe, steps=1, warm=0)
    run = Run(tmp_path / "run", short)
    train(short, run)
    known = (tmp_path / "run/tokenizer/vocab.json").read_bytes()
    monkeypatch.setattr("ml_backend.training.clipseg.all_phrases", lambda: ["another", "language", "altogether"] * 9)
    assert choose_tokenizer(short, tmp_path / "run/tokenizer").get_vocab() == json.loads(known)
    for start in ("run", "run/package"):
        onward = dataclasses.replace(short, start_from=str(tmp_path / start))
        folder = tmp_path / f"onward-{len(start)}"
        assert choose_tokenizer(onward, folder).get_vocab() == json.loads(known)
        assert (folder / "vocab.json").read_bytes() == known
    assert choose_tokenizer(short, tmp_path / "new").get_vocab() != json.loads(known)
    with pytest.raises(BadInput, match="no tokenizer"):
        choose_tokenizer(dataclasses.replace(short, start_from=str(tmp_path)), tmp_path / "nowhere")


def test_recipe_file(tmp_path):
    recipe = training.read_recipe("ml_backend/training/recipes/clipseg.json")
    assert isinstance(recipe, ClipSegRecipe)
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(dataclasses.asdict(recipe)))
    assert training.read_recipe(path) == recipe
