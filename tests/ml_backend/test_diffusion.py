"""The diffusion engine with tiny seeded models of each kind: what it promises, not what it paints."""

import json
import shutil

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler
from PIL import Image
from safetensors.torch import load_file, save_file

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.packaging import Package, save_folder_manifest
from ml_backend.pipelines.diffusion import sampling
from ml_backend.pipelines.diffusion.loading import load_pipeline
from ml_backend.pipelines.diffusion.model import DiffusionModel
from ml_backend.pipelines.diffusion.preview import fit, show
from ml_backend.pipelines.diffusion.residency import Residency
from ml_backend.pipelines.diffusion.settings import fill_in
from ml_backend.pipelines.imagine.diffusion import DiffusionImagine
from ml_backend.pipelines.restyle.diffusion import DiffusionRestyle
from ml_backend.requests import ImagineRequest, RestyleRequest
from tests.ml_backend.tiny import KINDS, tiny_inpaint, tiny_lora, tiny_text_to_image

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """One folder package of each kind."""
    root = tmp_path_factory.mktemp("tiny")
    packages = {kind: tiny_inpaint(root / kind, kind) for kind in KINDS}
    return {**packages, "four": tiny_inpaint(root / "four", channels=4), "words": tiny_text_to_image(root / "words")}


@pytest.fixture(scope="module")
def resident():
    """Memory of this file's own, so that each model is loaded once."""
    residency = Residency()
    yield residency
    residency.clear()


@pytest.fixture
def painter(shelf, resident):
    return lambda kind="sd1", **options: DiffusionRestyle(shelf[kind], resident=resident, **options)


@pytest.fixture
def dreamer(shelf, resident):
    return lambda kind="sd1", **options: DiffusionImagine(shelf[kind], resident=resident, **options)


@pytest.fixture(scope="module")
def photo():
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (120, 90, 3), np.uint8))


@pytest.fixture(scope="module")
def mask():
    mask = np.zeros((120, 90), np.float32)
    mask[30:90, 20:70] = 1
    return mask


def restyles(count=1, **options):
    options = {"steps": 3, "prompt": "a red floral dress", **options}
    return [RestyleRequest(seed=7 + index, engine="diffusion", **options) for index in range(count)]


def imagines(count=1, **options):
    options = {"steps": 3, "prompt": "a red floral dress", **options}
    return [ImagineRequest(seed=7 + index, **options) for index in range(count)]


def pixels(made):
    return np.asarray(made.image, int)


def sealed(path, **changes):
    """The folder's manifest made anew after the folder was changed."""
    return save_folder_manifest(path, name=path.name, capability="restyle", architecture="diffusers", **changes)


# -- restyle -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KINDS, "four", "words"])
def test_every_kind_repaints_the_mask_and_nothing_else(kind, painter, photo, mask):
    made = painter(kind)(photo, mask, restyles(2))
    before = np.asarray(photo)
    for each in made:
        assert each.image.size == photo.size
        assert np.array_equal(np.asarray(each.image)[mask == 0], before[mask == 0])
        assert np.abs(pixels(each) - before)[mask == 1].mean() > 10
    assert not np.array_equal(pixels(made[0]), pixels(made[1])), "each seed its own picture"


@pytest.mark.parametrize("kind", [*KINDS, "four"])
def test_a_picture_is_the_same_alone_and_in_a_batch(kind, painter, photo, mask):
    together = painter(kind, batch=3)(photo, mask, restyles(3, strength=0.7))
    (alone,) = painter(kind)(photo, mask, restyles(3, strength=0.7)[2:])
    assert np.abs(pixels(together[2]) - pixels(alone)).max() <= 2
    assert together[2].request == alone.request


@pytest.mark.parametrize("scheduler", ["euler", "dpm++", "lcm"])
def test_schedulers_keep_the_folders_settings(scheduler, painter, photo, mask):
    engine = painter("sd2")
    with engine.loaded() as model:
        config = model.scheduler(scheduler).config
    assert config.prediction_type == "v_prediction"
    assert config.rescale_betas_zero_snr
    assert config.timestep_spacing == "trailing"
    (made,) = engine(photo, mask, restyles(scheduler=scheduler))
    assert made.request.scheduler == scheduler


def test_schedulers_make_different_pictures(painter, photo, mask):
    made = [painter("sd2")(photo, mask, restyles(scheduler=name))[0] for name in ("euler", "dpm++", "lcm")]
    assert np.abs(pixels(made[0]) - pixels(made[1])).max() > 0
    assert np.abs(pixels(made[0]) - pixels(made[2])).max() > 0


def test_it_paints_what_bare_diffusers_paints(shelf, painter, photo):
    """With everything masked and the photo of the model's size there is no crop and no blend: only their pipeline."""
    from diffusers import AutoPipelineForInpainting

    small = photo.resize((64, 64))
    (ours,) = painter()(small, np.ones((64, 64), np.float32), restyles(scheduler="euler"))
    bare = AutoPipelineForInpainting.from_pretrained(shelf["sd1"].path, use_safetensors=True, local_files_only=True)
    bare.scheduler = EulerDiscreteScheduler.from_config(bare.scheduler.config)
    bare.set_progress_bar_config(disable=True)
    theirs = bare(
        prompt="a red floral dress",
        image=small,
        mask_image=Image.new("L", (64, 64), 255),
        masked_image_latents=bare.vae.encode(torch.zeros(1, 3, 64, 64)).latent_dist.mode().detach() * 0.5,
        width=64,
        height=64,
        num_inference_steps=3,
        guidance_scale=6.5,
        generator=torch.Generator("cpu").manual_seed(7),
    ).images[0]
    assert np.abs(pixels(ours) - np.asarray(theirs, int)).max() <= 2


def test_what_is_left_open_is_filled_in(shelf, painter, photo, mask, tmp_path, resident):
    (made,) = painter()(photo, mask, restyles(steps=None))
    filled = made.request
    assert (filled.steps, filled.guidance, filled.size, filled.strength) == (25, 6.5, 64, 1.0)
    assert filled.scheduler == "euler"
    assert filled.model == shelf["sd1"].manifest.reference
    (again,) = painter()(photo, mask, [filled])
    assert np.array_equal(pixels(again), pixels(made)), "the recipe makes the picture again"


def test_the_packages_defaults_come_before_ours(shelf):
    manifest = shelf["sd1"].manifest
    manifest.config["defaults"] = {"steps": 9, "guidance": 2.5, "size": 128, "strength": 0.5, "scheduler": "dpm++"}
    try:
        filled = fill_in(restyles(steps=None)[0], manifest, 64)
        assert (filled.steps, filled.guidance, filled.size, filled.strength) == (9, 2.5, 128, 0.5)
        assert filled.scheduler == "dpm++"
        assert fill_in(restyles(steps=4)[0], manifest, 64).steps == 4
        assert fill_in(restyles(steps=None, scheduler="lcm")[0], manifest, 64).steps < 9, "made for few steps"
        manifest.config["defaults"] = {"steps": "many"}
        with pytest.raises(BadPackage, match="unusable defaults"):
            fill_in(restyles(steps=None)[0], manifest, 64)
    finally:
        del manifest.config["defaults"]


def test_words_guidance_and_words_to_avoid_matter(painter, photo, mask):
    def paint(**options):
        return pixels(painter()(photo, mask, restyles(**options))[0])

    plain = paint()
    assert np.array_equal(plain, paint())
    for change in (
        {"prompt": "blue striped pants"},
        {"negative_prompt": "blue striped pants"},
        {"guidance": 2.0},
        {"guidance": 1.0},
        {"strength": 0.5},
        {"size": 128},
    ):
        assert not np.array_equal(plain, paint(**change)), change


def test_prompts_are_read_once(painter, photo, mask, monkeypatch):
    engine, read = painter(), []
    real = DiffusionModel._read

    def counted(model, *words):
        read.append(words)
        return real(model, *words)

    monkeypatch.setattr(DiffusionModel, "_read", counted)
    for _ in range(3):
        engine(photo, mask, restyles(2, prompt="a green coat"))
    assert len(read) == 1


def test_words_that_do_not_fit_are_said(painter, photo, mask):
    (made,) = painter()(photo, mask, restyles(prompt="red dress " * 45 + "velvet"))
    assert any("velvet" in note for note in made.notes)
    (made,) = painter()(photo, mask, restyles(prompt="red dress"))
    assert made.notes == ()


def test_portrait_landscape_and_far_apart_regions(painter):
    for size in ((90, 300), (300, 90), (640, 480)):
        photo = Image.effect_noise(size, 60).convert("RGB")
        mask = np.zeros((size[1], size[0]), np.float32)
        mask[5:25, 5:25] = mask[-25:-5, -25:-5] = 1
        (made,) = painter()(photo, mask, restyles(steps=1))
        changed = (np.asarray(made.image) != np.asarray(photo)).any(-1)
        assert changed[8:22, 8:22].mean() > 0.5
        assert changed[-22:-8, -22:-8].mean() > 0.5
        assert not changed[mask == 0].any()


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ([], "Nothing"),
        ([*restyles(1), *restyles(1, prompt="else")], "seeds only"),
        (restyles(1, strength=0.1, steps=2), "strength"),
        (restyles(1, loras=("silk",)), "no LoRA called silk"),
    ],
)
def test_unusable_requests(requests, words, painter, photo, mask):
    with pytest.raises(BadInput, match=words):
        painter()(photo, mask, requests)


# -- imagine -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KINDS, "four", "words"])
def test_every_kind_imagines(kind, dreamer):
    made = dreamer(kind, batch=2)(imagines(2))
    assert [each.image.size for each in made] == [(64, 64)] * 2
    assert not np.array_equal(pixels(made[0]), pixels(made[1]))
    (alone,) = dreamer(kind)(imagines(2)[1:])
    assert np.abs(pixels(alone) - pixels(made[1])).max() <= 2
    assert alone.request.size == 64


def test_restyle_and_imagine_share_one_copy(shelf, photo, mask):
    residency = Residency()
    DiffusionRestyle(shelf["sd1"], resident=residency)(photo, mask, restyles(steps=1))
    with DiffusionRestyle(shelf["sd1"], resident=residency).loaded() as one:
        pass
    with DiffusionImagine(shelf["sd1"], resident=residency).loaded() as other:
        assert other is one
    residency.clear()
    assert one.inpaint is None, "put away"


# -- progress, preview, cancel -----------------------------------------------------------------------------------------


def test_progress_rises_and_pictures_come_one_by_one(painter, photo, mask):
    heard = []
    made = painter()(
        photo,
        mask,
        restyles(2),
        progress=lambda fraction, stage: heard.append(fraction),
        on_image=lambda number, each: heard.append((number, each)),
    )
    fractions = [each for each in heard if isinstance(each, float)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert len(fractions) == 6
    assert heard[3] == (0, made[0]), "before the second is begun"
    assert heard[7] == (1, made[1])


@pytest.mark.parametrize("scheduler", ["euler", "dpm++", "lcm"])
def test_previews_are_small_and_near_the_result(scheduler, painter, dreamer, photo, mask, monkeypatch):
    monkeypatch.setattr(sampling, "PREVIEW_SECONDS", 0)
    seen = []
    painter(batch=2)(photo, mask, restyles(2, scheduler=scheduler), preview=seen.append)
    assert len(seen) == 3
    assert seen[0].size == (2 * photo.width, photo.height), "side by side, in the photo"
    assert np.array_equal(np.asarray(seen[0])[:20, :90], np.asarray(photo)[:20])
    seen.clear()
    dreamer(batch=2)(imagines(2, scheduler=scheduler), preview=seen.append)
    assert len(seen) == 3
    assert max(seen[0].size) <= 2 * 192


def test_previews_are_throttled(painter, photo, mask):
    seen = []
    painter()(photo, mask, restyles(steps=2), preview=seen.append)
    assert len(seen) <= 1


def test_the_linear_map_finds_colours():
    """An autoencoder that is linear itself is seen exactly."""
    mixing = torch.tensor([[1.0, 0.2, 0], [0, 1, 0.3], [0.1, 0, 1], [0.5, 0.5, 0.5]])

    def encode(picture):
        return torch.einsum("lc,nchw->nlhw", mixing, torch.nn.functional.avg_pool2d(picture, 8)) + 0.1

    matrix = fit(encode, 8)
    colours = torch.tensor([0.8, -0.6, 0.2]).reshape(1, 3, 1, 1).expand(1, 3, 32, 16)
    (picture,) = show(encode(colours), matrix)
    assert picture.size[1] > picture.size[0]
    assert np.abs(np.asarray(picture, int) - ((np.array([0.8, -0.6, 0.2]) + 1) * 127.5)).max() <= 2


def test_cancel_stops_within_a_step(painter, photo, mask, monkeypatch):
    engine, steps, made = painter(), [], []
    with engine.loaded() as model:
        real = model.inpaint.unet.forward

        def counted(*arguments, **options):
            steps.append(1)
            return real(*arguments, **options)

        monkeypatch.setattr(model.inpaint.unet, "forward", counted)
        with pytest.raises(Stopped):
            engine(
                photo,
                mask,
                restyles(3, steps=4),
                should_stop=lambda: len(steps) >= 6,
                on_image=lambda number, each: made.append(number),
            )
    assert len(steps) == 6
    assert made == [0], "what was finished is kept"


# -- memory ------------------------------------------------------------------------------------------------------------


def test_out_of_memory_halves_the_batch_and_says_so(painter, photo, mask, monkeypatch):
    engine, sizes = painter(batch=4), []
    with engine.loaded() as model:
        real = model.inpaint.unet.forward

        def cramped(latents, *arguments, **options):
            sizes.append(len(latents) // 2)
            if sizes[-1] > 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return real(latents, *arguments, **options)

        monkeypatch.setattr(model.inpaint.unet, "forward", cramped)
        made = engine(photo, mask, restyles(4, steps=1))
        assert sizes == [4, 2, 1, 1, 1, 1]
        assert any("4 pictures at once" in note for note in made[0].notes)
    alone = painter()(photo, mask, restyles(4, steps=1))
    assert [np.abs(pixels(a) - pixels(b)).max() for a, b in zip(made, alone, strict=True)] == [0] * 4


def test_a_picture_that_never_fits_is_a_sentence(painter, photo, mask, monkeypatch):
    engine = painter()
    with engine.loaded() as model:

        def cramped(*arguments, **options):
            raise torch.OutOfMemoryError("CUDA out of memory.")

        monkeypatch.setattr(model.inpaint.unet, "forward", cramped)
        with pytest.raises(BadInput, match="smaller"):
            engine(photo, mask, restyles())


def test_large_pictures_are_decoded_in_tiles(painter):
    with painter().loaded() as model:
        model.tile((64, 2048))
        assert model.inpaint.vae.use_tiling
        model.tile((64, 64))
        assert not model.inpaint.vae.use_tiling


# -- LoRAs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def loras(tmp_path):
    silk = tiny_lora(tmp_path / "silk.safetensors", seed=1)
    tiny_lora(tmp_path / "linen.v2" / "weights.safetensors", seed=2)
    return {"silk": silk, "linen.v2": tmp_path / "linen.v2"}


def test_loras_mix_by_strength_and_leave_again(painter, photo, mask, loras):
    engine = painter(loras=loras)

    def paint(*names):
        return pixels(engine(photo, mask, restyles(loras=names))[0])

    plain = paint()
    silk, weak, both = paint("silk"), paint("silk:0.2"), paint("silk:0.5", "linen.v2:0.5")
    pictures = [plain, silk, weak, both, paint("linen.v2")]
    for index, one in enumerate(pictures):
        assert all(not np.array_equal(one, other) for other in pictures[index + 1 :])
    assert np.array_equal(silk, paint("silk:1")), "the same again after others"
    assert np.abs(plain - paint("silk:0")).max() <= 2
    assert np.array_equal(plain, paint()), "without a trace"


def test_two_loras_of_one_name_are_two(painter, photo, mask, loras, tmp_path):
    """Two people may each have one: the very same words and strength must never wear the other's."""
    places = dict(loras)
    engine = painter(loras=places)

    def painted():
        return pixels(engine(photo, mask, restyles(loras=("silk:1",)))[0])

    first = painted()
    places["silk"] = tiny_lora(tmp_path / "another" / "silk.safetensors", seed=7)
    second = painted()
    assert not np.array_equal(first, second)
    places["silk"] = loras["silk"]
    assert np.array_equal(painted(), first)


def test_imagine_wears_loras_too(dreamer, loras):
    engine = dreamer(loras=loras)
    plain, silk = (pixels(engine(imagines(loras=names))[0]) for names in ((), ("silk",)))
    assert not np.array_equal(plain, silk)
    engine(imagines())


def test_bad_loras_are_named_and_leave_the_model_as_it_was(painter, photo, mask, loras, tmp_path):
    (tmp_path / "torn.safetensors").write_bytes(loras["silk"].read_bytes()[:100])
    (tmp_path / "wicked.bin").write_bytes(b"\x80\x04pickle")
    save_file({"something.else": torch.zeros(2)}, tmp_path / "alien.safetensors")
    places = {
        "torn": tmp_path / "torn.safetensors",
        "wicked": tmp_path / "wicked.bin",
        "alien": tmp_path / "alien.safetensors",
        "wrong": tiny_lora(tmp_path / "wrong.safetensors", kind="sdxl"),
        **loras,
    }
    engine = painter(loras=places)
    plain = pixels(engine(photo, mask, restyles())[0])
    for name in ("torn", "wicked", "alien", "wrong"):
        with pytest.raises(BadInput, match=name):
            engine(photo, mask, restyles(loras=("silk", name)))
    assert np.array_equal(plain, pixels(engine(photo, mask, restyles())[0]))


# -- safety ------------------------------------------------------------------------------------------------------------


def test_a_refused_picture_is_a_sentence_and_no_black_image(painter, dreamer, photo, mask):
    asked = []

    def careful(picture, prompt):
        asked.append((picture.size, prompt))
        return "Not this one." if len(asked) == 1 else ""

    first, second = painter(safety=careful)(photo, mask, restyles(2))
    assert (first.image, first.refused) == (None, "Not this one.")
    assert second.image is not None
    assert asked == [(photo.size, "a red floral dress")] * 2
    (dream,) = dreamer(safety=lambda picture, prompt: "No.")(imagines())
    assert (dream.image, dream.refused) == (None, "No.")


def test_the_folders_own_checker_counts(painter, photo, mask, monkeypatch):
    engine = painter()
    with engine.loaded() as model:
        monkeypatch.setattr(
            model.inpaint, "run_safety_checker", lambda image, device, dtype: (image * 0, [True] * len(image))
        )
        (made,) = engine(photo, mask, restyles())
    assert made.image is None
    assert "safety checker" in made.refused


# -- bad folders -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(shelf, tmp_path):
    """A copy to be damaged; the engine is given it as if its manifest were right."""
    path = tmp_path / "model"
    shutil.copytree(shelf["sd1"].path, path)
    return path


def without_key(path):
    tensors = load_file(path)
    tensors.pop(sorted(tensors)[3])
    save_file(tensors, path, metadata={"format": "pt"})


def not_numbers(path):
    tensors = load_file(path)
    name = sorted(tensors)[3]
    tensors[name] = torch.full_like(tensors[name], float("nan"))
    save_file(tensors, path, metadata={"format": "pt"})


def as_pickle(path):
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


DAMAGE = {
    "no index": (lambda path: (path / "model_index.json").unlink(), "model_index.json"),
    "index of nonsense": (lambda path: (path / "model_index.json").write_text("{"), "cannot be read"),
    "index of another thing": (lambda path: (path / "model_index.json").write_text("[]"), "pipelines"),
    "unknown class": (lambda path: change_json(path / "model_index.json", _class_name="WickedPipeline"), "loaded"),
    "foreign code": (lambda path: change_json(path / "model_index.json", unet=["os", "system"]), "'os'"),
    "no VAE named": (lambda path: change_json(path / "model_index.json", vae=[None, None]), "no vae"),
    "no UNet": (lambda path: shutil.rmtree(path / "unet"), "unet .* missing"),
    "no weights": (lambda path: (path / UNET).unlink(), "lacks its file"),
    "pickled weights": (lambda path: as_pickle(path / UNET), "lacks its file"),
    "truncated": (lambda path: (path / UNET).write_bytes((path / UNET).read_bytes()[:2000]), "cannot be loaded"),
    "weights missing": (lambda path: without_key(path / UNET), "unet .* lacks"),
    "words missing": (lambda path: without_key(path / "text_encoder/model.safetensors"), "text_encoder .* lacks"),
    "not numbers": (lambda path: not_numbers(path / UNET), "no numbers"),
    "other sizes": (lambda path: change_json(path / "unet/config.json", block_out_channels=[8, 8]), "loaded"),
    "wrong channels": (lambda path: change_json(path / "unet/config.json", in_channels=7), "loaded|channels"),
    "tokenizer of nonsense": (lambda path: (path / "tokenizer/tokenizer.json").write_text("{"), "cannot be loaded"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_bad_folders_are_said_at_once(damage, folder, shelf, capfd):
    change, words = DAMAGE[damage]
    change(folder)
    with pytest.raises(BadPackage, match=words) as error:
        DiffusionRestyle(Package(folder, shelf["sd1"].manifest), resident=Residency())
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == "", "said once"


def test_the_loader_itself_takes_no_pickles(folder, shelf):
    as_pickle(folder / UNET)
    with pytest.raises(BadPackage, match="cannot be loaded"):
        load_pipeline(Package(folder, shelf["sd1"].manifest), torch.float32)


def test_a_unet_for_other_latents_is_refused(tmp_path):
    package = tiny_inpaint(tmp_path / "seven", channels=7)
    with pytest.raises(BadPackage, match="7 channels"):
        DiffusionRestyle(package, resident=Residency())


def test_a_model_that_paints_no_numbers_is_refused(painter, photo, mask, monkeypatch):
    engine = painter()
    with engine.loaded() as model:
        real = model.inpaint.unet.forward

        def overflowing(*arguments, **options):
            return (real(*arguments, **options)[0] * float("nan"),)

        monkeypatch.setattr(model.inpaint.unet, "forward", overflowing)
        with pytest.raises(BadPackage, match="no numbers"):
            engine(photo, mask, restyles())


def test_packages_of_other_kinds_are_refused(tiny_segmenter):
    with pytest.raises(BadPackage, match="no diffusion model"):
        DiffusionImagine(tiny_segmenter)


def test_a_checker_that_is_named_but_absent_is_left_out(folder, photo, mask):
    change_json(
        folder / "model_index.json",
        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
        feature_extractor=[None, None],
    )
    (made,) = DiffusionRestyle(sealed(folder), resident=Residency())(photo, mask, restyles(steps=1))
    assert made.image is not None
