"""Single-file checkpoints: told apart by their tensors, and turned into the folder that they were made from."""

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from ml_backend.errors import BadInput, BadPackage
from ml_backend.packaging.contents import tensors_of
from ml_backend.packaging.convert import FAMILIES, family_of
from ml_backend.packaging.hub import HUB_ID
from ml_backend.packaging.sources import Source, fetch
from tests.ml_backend.hub_server import running_hub
from tests.ml_backend.tiny import tiny_inpaint

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
MIDDLE = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}
VAE = {
    "conv_norm_out": "norm_out",
    "conv_shortcut": "nin_shortcut",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}


def _resnet(rest):
    part, _, leaf = rest.partition(".")
    return f"{RESNET[part]}.{leaf}"


def _unet_name(name):
    """The name of a tensor of the tiny UNet (two levels, one layer each) in the original checkpoints."""
    for ours, theirs in ENDS.items():
        if name.startswith(f"{ours}."):
            return theirs + name.removeprefix(ours)
    way, _, rest = name.partition(".")
    if way == "mid_block":
        kind, number, rest = rest.split(".", 2)
        return f"middle_block.{MIDDLE[f'{kind}.{number}']}.{_resnet(rest) if kind == 'resnets' else rest}"
    level, kind, number, rest = rest.split(".", 3)
    blocks, first, each = ("input_blocks", 1, 2) if way == "down_blocks" else ("output_blocks", 0, 2)
    block = first + int(level) * each + int(number)
    if kind == "resnets":
        return f"{blocks}.{block}.0.{_resnet(rest)}"
    if kind == "attentions":
        return f"{blocks}.{block}.1.{rest}"
    if kind == "downsamplers":
        return f"{blocks}.{first + int(level) * each + 1}.0.op.{rest.removeprefix('conv.')}"
    return f"{blocks}.{int(level) * each + 1}.2.{rest}"


def _vae_name(name, levels):
    for ours, theirs in VAE.items():
        name = name.replace(f"{ours}.", f"{theirs}.")
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{levels - 1 - int(m[1])}.block", name)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)


def _original(folder):
    """The tensors of a tiny folder under the names of the original Stable Diffusion 1 checkpoints."""
    tensors = {}
    for name, value in load_file(folder / "unet/diffusion_pytorch_model.safetensors").items():
        tensors[f"model.diffusion_model.{_unet_name(name)}"] = value
    for name, value in load_file(folder / "vae/diffusion_pytorch_model.safetensors").items():
        is_projection = ".attentions." in name and value.ndim == 2
        tensors[f"first_stage_model.{_vae_name(name, 2)}"] = value[:, :, None, None] if is_projection else value
    for name, value in load_file(folder / "text_encoder/model.safetensors").items():
        name = name if name.startswith("text_model.") else f"text_model.{name}"
        tensors[f"cond_stage_model.transformer.{name}"] = value
    return {name: value.contiguous() for name, value in tensors.items()}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    home = tmp_path_factory.mktemp("published")
    tiny_inpaint(home / "config")
    (home / "config/manifest.json").unlink()
    save_file(_original(home / "config"), home / "dresses-v3.safetensors")
    return home


@pytest.fixture
def published(originals, tmp_path):
    return shutil.copytree(originals, tmp_path / "published")


@pytest.fixture
def take(tmp_path):
    def run(path, **options):
        return fetch(Source.parse(str(path)), tmp_path / "package", downloads=tmp_path / "downloads", **options)

    return run


def _same(package, folder):
    for name in ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"):
        kept, before = (load_file(home / f"{name}.safetensors") for home in (package.path, folder))
        assert kept.keys() == before.keys()
        assert all(torch.equal(kept[key].float(), before[key].half().float()) for key in before), name


def test_a_checkpoint_becomes_the_folder_it_was_made_from(published, take):
    package = take(published / "dresses-v3.safetensors", config=str(published / "config"))
    assert (package.manifest.name, package.manifest.capability) == ("dresses-v3", "restyle")
    assert package.manifest.config["source"] == {"file": "dresses-v3.safetensors"}
    _same(package, published / "config")


def test_a_pickled_checkpoint(published, take):
    torch.save({"state_dict": load_file(published / "dresses-v3.safetensors")}, published / "dresses.ckpt")
    _same(take(published / "dresses.ckpt", config=str(published / "config"), allow_pickle=True), published / "config")


def test_without_a_folder_the_configuration_comes_from_the_hub(published, take, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with running_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        hub.models[FAMILIES["1", 9].config] = published / "config"
        package = take(published / "dresses-v3.safetensors")
        assert not [path for _, path, _ in hub.asked if path.endswith(".safetensors")], "weights stay where they are"
    _same(package, published / "config")


def test_without_hub_and_folder_it_is_said_what_to_do(published, take):
    with pytest.raises(BadInput, match=r"stable-diffusion-inpainting.*--config"):
        take(published / "dresses-v3.safetensors", endpoint="http://127.0.0.1:9")


def test_a_configuration_that_does_not_fit(published, take, tmp_path):
    config = published / "config/unet/config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "block_out_channels": [4, 8]}))
    with pytest.raises(BadPackage, match="does not fit"):
        take(published / "dresses-v3.safetensors", config=str(published / "config"))


def test_a_configuration_must_be_a_folder_or_on_the_hub(published, take):
    with pytest.raises(BadInput, match="no diffusers folder"):
        take(published / "dresses-v3.safetensors", config=str(published / "dresses-v3.safetensors"))


def test_a_truncated_checkpoint(published, take):
    file = published / "dresses-v3.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(BadPackage, match="cut short"):
        take(file)


def _header(channels, *names):
    first = {"model.diffusion_model.input_blocks.0.0.weight": ("F16", (320, channels, 3, 3))}
    return first | dict.fromkeys(names, ("F16", (1,)))


@pytest.mark.parametrize(
    ("header", "family"),
    [
        (_header(9), ("1", 9)),
        (_header(4), ("1", 4)),
        (_header(9, "cond_stage_model.model.ln_final.weight"), ("2", 9)),
        (_header(4, "conditioner.embedders.1.model.ln_final.weight"), ("xl", 4)),
    ],
)
def test_families_are_told_apart(header, family):
    assert family_of(header) == FAMILIES[family]


@pytest.mark.parametrize("header", [{}, {"weight": ("F16", (1,))}, _header(8)])
def test_other_files_are_no_checkpoints(header):
    with pytest.raises(BadInput):
        family_of(header)


def test_families_have_hub_ids(published):
    assert all(HUB_ID.fullmatch(family.config) for family in FAMILIES.values())
    assert family_of(tensors_of(published / "dresses-v3.safetensors")) == FAMILIES["1", 9]
