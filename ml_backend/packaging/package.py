"""Reading and writing a model package.

A package is a folder with ``manifest.json``, a model card in ``README.md`` for models we ship, and either our own
``weights.safetensors`` or a whole diffusers or transformers folder (a *folder package*).  The manifest records the
SHA-256 of the weights, or of every file of the folder; loading checks it, so a truncated or swapped file is an error
and never a strange picture.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadPackage
from ..networks import ARCHITECTURES
from .files import CARD, MANIFEST, check_files, combined_sha256, hashes_of, sha256_of
from .header import strict_json, tensors_of

if TYPE_CHECKING:
    import torch

__all__ = ["CARD", "MANIFEST", "WEIGHTS", "Manifest", "Package", "save_folder_manifest", "save_package", "sha256_of"]

WEIGHTS = "weights.safetensors"
FOLDER_ARCHITECTURES = ("diffusers", "clipseg", "lora")
MAX_MANIFEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """What a package holds.

    ``capability`` is what it serves (generate, upscale, segment, classify); ``architecture`` and ``config`` rebuild
    the network through :func:`ml_backend.networks.build`; ``metrics`` are figures that an evaluation command printed.

    A folder package (capabilities text-mask, restyle, imagine, lora) names its ``files`` with their SHA-256; then
    ``sha256`` is the one of the sorted ``sha256  path`` lines, ``architecture`` says which library loads the folder
    (diffusers, clipseg, lora) and ``config`` may hold ``pipeline`` (class name), ``defaults`` (steps, guidance, size,
    strength, scheduler, sketch, and under ``sketched`` those that differ with a sketch), ``source`` (where it came
    from) and ``also`` (further capabilities).
    """

    name: str
    capability: str
    architecture: str
    config: dict[str, Any]
    sha256: str
    version: str = "1"
    licence: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | str) -> Manifest:
        """The manifest of the package at ``path``, no weights looked at.  Raises :class:`BadPackage`."""
        file = Path(path) / MANIFEST
        try:
            if file.stat().st_size > MAX_MANIFEST_BYTES:
                raise BadPackage(f"The manifest of {path} is too large to be one.")
            return cls.parse(strict_json(file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise BadPackage(f"{path} is not a model package: it has no {MANIFEST}.") from error
        except (OSError, ValueError, TypeError) as error:
            raise BadPackage(f"The manifest of {path} cannot be read: {error}.") from error

    @classmethod
    def parse(cls, data: Any) -> Manifest:
        """From its JSON.  Raises :class:`TypeError` or :class:`ValueError` for anything else."""
        manifest = cls(**data)
        for name in ("name", "capability", "architecture", "sha256", "version", "licence"):
            if not isinstance(getattr(manifest, name), str):
                raise TypeError(f"{name} must be text")
        for name in ("config", "metrics", "files"):
            if not isinstance(getattr(manifest, name), dict):
                raise TypeError(f"{name} must be an object")
        also = manifest.config.get("also", [])
        if not isinstance(also, list) or not all(isinstance(name, str) for name in also):
            raise TypeError("config.also must be a list of names")
        return manifest

    @property
    def capabilities(self) -> tuple[str, ...]:
        """All that it can serve, the main one first."""
        return (self.capability, *(name for name in self.config.get("also", ()) if name != self.capability))

    @property
    def reference(self) -> str:
        """``name@sha256-prefix``: names these very weights in a recipe."""
        return f"{self.name}@{self.sha256[:12]}"


@dataclass(frozen=True)
class Package:
    """A verified package on disk."""

    path: Path
    manifest: Manifest

    @classmethod
    def load(cls, path: Path | str, *, stamp: Path | None = None) -> Package:
        """Read the manifest and check the files against it, and the headers of the weights.

        Raises :class:`BadPackage`, also where nothing here could load it.

        ``stamp`` is a file outside the package where a folder package's verification may be noted, so that unchanged
        files are not hashed again; whoever can write there could as well write the program.
        """
        path = Path(path)
        manifest = Manifest.read(path)
        if manifest.files:
            if manifest.architecture not in FOLDER_ARCHITECTURES:
                raise BadPackage(f"{path} is a folder of an unknown kind: {manifest.architecture!r}.")
            check_files(path, manifest.files, manifest.sha256, stamp)
            for name in manifest.files:
                if name.endswith(".safetensors"):
                    tensors_of(path / name)
            return cls(path, manifest)
        if manifest.architecture not in ARCHITECTURES:
            raise BadPackage(f"{path} is of an unknown architecture: {manifest.architecture!r}.")
        weights = path / WEIGHTS
        if not weights.is_file():
            raise BadPackage(f"{path} is not a model package: it has no {WEIGHTS}.")
        if sha256_of(weights) != manifest.sha256:
            raise BadPackage(f"The weights of {manifest.name} are damaged: their SHA-256 is not the manifest's.")
        tensors_of(weights)
        return cls(path, manifest)

    @property
    def mark(self) -> str:
        """Two packages with the same one do the same."""
        return self.manifest.sha256

    @property
    def size(self) -> int:
        """Bytes of the files that the manifest vouches for."""
        return sum((self.path / name).stat().st_size for name in self.manifest.files or (WEIGHTS,))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The weights as stored, on the CPU, half precision widened to float32."""
        from safetensors.torch import load_file

        tensors: dict[str, torch.Tensor] = load_file(self.path / WEIGHTS)
        return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}

    def network(self) -> torch.nn.Module:
        """The network with its weights, in eval mode, on the CPU."""
        from ..networks import build

        network = build(self.manifest.architecture, self.manifest.config)
        try:
            network.load_state_dict(self.state_dict())
        except RuntimeError as error:
            raise BadPackage(f"The weights of {self.manifest.name} do not fit its architecture: {error}.") from error
        return network.eval()


def save_package(
    path: Path | str,
    *,
    name: str,
    capability: str,
    architecture: str,
    config: Any,
    state_dict: Mapping[str, torch.Tensor],
    licence: str = "",
    metrics: Mapping[str, float] | None = None,
    version: str = "1",
    half: bool = True,
) -> Package:
    """Write a package; ``config`` is a config dataclass or a dict.  ``half`` stores float tensors as float16."""
    from safetensors.torch import save_file

    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            key: (tensor.half() if half and tensor.is_floating_point() else tensor).detach().cpu().contiguous()
            for key, tensor in state_dict.items()
        },
        path / WEIGHTS,
    )
    manifest = Manifest(
        name=name,
        capability=capability,
        architecture=architecture,
        config=dataclasses.asdict(config)
        if dataclasses.is_dataclass(config) and not isinstance(config, type)
        else config,
        sha256=sha256_of(path / WEIGHTS),
        version=version,
        licence=licence,
        metrics=dict(metrics or {}),
    )
    _write_manifest(path, manifest)
    return Package(path, manifest)


def save_folder_manifest(
    path: Path | str,
    *,
    name: str,
    capability: str,
    architecture: str,
    licence: str = "",
    defaults: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    version: str = "1",
    pipeline: str = "",
    also: Sequence[str] = (),
) -> Package:
    """Make the diffusers or transformers folder at ``path`` a package: hash every file and write ``manifest.json``.

    ``pipeline`` is the class that loads it, ``also`` what it serves besides ``capability``.  Raises
    :class:`BadPackage` when the folder is empty or holds anything but safetensors, JSON and text.
    """
    path = Path(path)
    if architecture not in FOLDER_ARCHITECTURES:
        raise BadPackage(f"{architecture!r} is not a kind of folder; it is one of {', '.join(FOLDER_ARCHITECTURES)}.")
    files = hashes_of(path)
    if not any(file.endswith(".safetensors") for file in files):
        raise BadPackage(f"{path} is not a model: it holds no .safetensors file.")
    config = {
        "pipeline": pipeline,
        "defaults": dict(defaults or {}),
        "source": dict(source or {}),
        "also": list(also),
    }
    manifest = Manifest(
        name=name,
        capability=capability,
        architecture=architecture,
        config={key: value for key, value in config.items() if value},
        sha256=combined_sha256(files),
        version=version,
        licence=licence,
        metrics=dict(metrics or {}),
        files=files,
    )
    _write_manifest(path, manifest)
    return Package(path, manifest)


def _write_manifest(path: Path, manifest: Manifest) -> None:
    """A package of one weights file has no ``files`` entry."""
    data = {key: value for key, value in dataclasses.asdict(manifest).items() if key != "files" or value}
    (path / MANIFEST).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
