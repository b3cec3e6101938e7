"""Headers of weights and the JSON beside them: what the library would write is read, anything else is refused."""

import json
import struct
import time

import pytest
import torch
from safetensors.torch import save_file

from ml_backend.errors import BadPackage
from ml_backend.packaging import Package, save_folder_manifest, save_package
from ml_backend.packaging.contents import LORA_FILE, read_json
from ml_backend.packaging.header import MAX_HEADER_BYTES, strict_json, tensors_of

GOOD = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}


def written(path, header, data=24):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * data)
    return path


def changed(**fields):
    return {"a": {**GOOD["a"], **fields}}


def test_what_the_library_writes_is_read(tmp_path):
    file = tmp_path / "x.safetensors"
    kinds = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.float8_e4m3fn)
    tensors = {str(kind): torch.zeros((3, 5), dtype=kind) for kind in kinds}
    save_file({**tensors, "scalar": torch.tensor(1.0), "empty": torch.zeros(0, 4)}, file, metadata={"format": "pt"})
    found = tensors_of(file)
    assert found["torch.bfloat16"] == ("BF16", (3, 5))
    assert (found["scalar"][1], found["empty"][1]) == ((), (0, 4))


@pytest.mark.parametrize(
    "header",
    [
        changed(shape=[-2, -3]),
        changed(shape=[-2, 3]),
        changed(shape=[2.0, 3]),
        changed(shape=[True, 6]),
        changed(shape="23"),
        changed(shape=[2, 2]),
        changed(shape=[1] * 40 + [6]),
        changed(shape=[2**62, 2**62, 0]),
        changed(data_offsets=[-24, 0]),
        changed(data_offsets=[24, 0]),
        changed(data_offsets=[0, 48]),
        changed(data_offsets=[0]),
        changed(data_offsets=[0, 24, 24]),
        changed(data_offsets=None),
        changed(dtype="F99"),
        changed(dtype=[]),
        changed(more=1),
        {"a": {"dtype": "F32"}},
        {"a": 1},
        {**GOOD, "b": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}},  # over each other
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [20, 24]}},  # a hole before it
        {},
        [],
        b'{"a": {"dtype": "F32", "shape": [Infinity], "data_offsets": [0, 24]}}',
        b'{"a": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 24]}}',
        b'{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 24]}}',
        b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 24]}}',
        b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "a": 1}',
        b"\xff\xfe",
    ],
)
def test_any_other_header_is_refused(tmp_path, header):
    with pytest.raises(BadPackage, match=r"^x\.safetensors is no whole safetensors file: .{3,400}\.$"):
        tensors_of(written(tmp_path / "x.safetensors", header))


def test_a_long_header_is_not_even_read(tmp_path):
    file = tmp_path / "x.safetensors"
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", MAX_HEADER_BYTES + 1))
        stream.truncate(MAX_HEADER_BYTES + 100)
    started = time.process_time()
    with pytest.raises(BadPackage, match="too long"):
        tensors_of(file)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", "1e999", '{"a": -1e400}', '{"a": 1, "a": 2}', "[" * 100_000])
def test_json_is_json(text, tmp_path):
    with pytest.raises(ValueError, match=r"number|nested|twice"):
        strict_json(text)
    (tmp_path / "config.json").write_text('{"x": ' + text + "}")
    with pytest.raises(BadPackage, match=r"config\.json cannot be read"):
        read_json(tmp_path / "config.json")


@pytest.fixture
def package(tmp_path):
    """A package of our own kind, and the way to spoil its manifest."""
    from ml_backend.networks.unet import UNet, UNetConfig

    tiny = UNetConfig(widths=(4, 8), depths=(1, 1))
    return save_package(
        tmp_path / "tiny",
        name="tiny",
        capability="segment",
        architecture="unet",
        config=tiny,
        state_dict=UNet(tiny).state_dict(),
    )


def spoil(package, **changes):
    path = package.path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "transformer"},
        {"architecture": "diffusers"},
        {"config": {"widths": [float("inf")]}},
        {"metrics": {"iou": float("nan")}},
        {"config": {"also": 5}},
        {"config": {"also": [1]}},
        {"config": {"also": "restyle"}},
    ],
)
def test_a_manifest_that_nothing_could_load_is_refused(package, changes):
    spoil(package, **changes)
    with pytest.raises(BadPackage):
        Package.load(package.path)


def test_a_deep_manifest_is_refused(package):
    text = (package.path / "manifest.json").read_text()
    deep = "[" * 100_000 + "]" * 100_000
    (package.path / "manifest.json").write_text(text.replace('"metrics": {}', f'"metrics": {{"a": {deep}}}'))
    with pytest.raises(BadPackage, match="nested"):
        Package.load(package.path)


@pytest.mark.parametrize("widths", [[-4, 8], [10**12, 10**12], []])
def test_a_config_of_no_network_is_refused(package, widths):
    spoil(package, config={"widths": widths, "depths": [1, 1]})
    with pytest.raises(BadPackage):
        Package.load(package.path).network()


@pytest.mark.django_db
class TestKeeping:
    """Nothing of that kind is kept, so nothing of it is ever offered."""

    def lora(self, path, header):
        path.mkdir()
        written(path / LORA_FILE, header)
        return path

    def test_a_lora_with_negative_shapes(self, tmp_path, settings):
        from ml_backend.models import ModelVersion
        from ml_backend.serving import registry

        name = "unet.down.attn2.to_k.lora_A.weight"
        folder = self.lora(tmp_path / "lora", {name: {**GOOD["a"], "shape": [-2, -3]}})
        with pytest.raises(BadPackage):
            registry.pull(str(folder))
        with pytest.raises(BadPackage):
            registry.pull(str(folder / LORA_FILE))
        save_folder_manifest(folder, name="lora", capability="lora", architecture="lora")
        with pytest.raises(BadPackage):
            registry.pull(str(folder))
        with pytest.raises(BadPackage):
            registry.add(folder)
        assert not ModelVersion.objects.exists()
        assert not registry.loras("imagine")

    @pytest.mark.parametrize(
        "changes", [{"architecture": "transformer"}, {"capability": "fly"}, {"config": {"widths": [4, 16]}}]
    )
    def test_a_package_that_nothing_could_serve(self, package, changes, settings):
        from django.core.management import CommandError, call_command

        from ml_backend.models import ModelVersion
        from ml_backend.serving import registry

        spoil(package, **changes)
        with pytest.raises(BadPackage):
            registry.pull(str(package.path))
        with pytest.raises(CommandError):
            call_command("add_model", str(package.path))
        assert not ModelVersion.objects.exists()
