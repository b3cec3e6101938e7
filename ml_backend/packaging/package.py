"""Reading and writing a model package.

A package is a folder with ``weights.safetensors``, ``manifest.json`` and, for models we ship, a model card in
``README.md``.  The manifest records the SHA-256 of the weights; loading checks it, so a truncated or swapped file is
an error and never a strange picture.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadPackage

if TYPE_CHECKING:
    import torch

WEIGHTS = "weights.safetensors"
MANIFEST = "manifest.json"
CARD = "README.md"


@dataclass(frozen=True)
class Manifest:
    """What a package holds.

    ``capability`` is what it serves (generate, upscale, segment, classify); ``architecture`` and ``config`` rebuild
    the network through :func:`ml_backend.networks.build`; ``metrics`` are figures that an evaluation command printed.
    """

    name: str
    capability: str
    architecture: str
    config: dict[str, Any]
    sha256: str
    version: str = "1"
    licence: str = ""
    metrics: dict[str, float] = field(default_factory=dict)

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
    def load(cls, path: Path | str) -> Package:
        """Read the manifest and check the weights against it.  Raises :class:`BadPackage`."""
        path = Path(path)
        try:
            data = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
            manifest = Manifest(**data)
        except FileNotFoundError as error:
            raise BadPackage(f"{path} is not a model package: it has no {MANIFEST}.") from error
        except (OSError, ValueError, TypeError) as error:
            raise BadPackage(f"The manifest of {path} cannot be read: {error}.") from error
        weights = path / WEIGHTS
        if not weights.is_file():
            raise BadPackage(f"{path} is not a model package: it has no {WEIGHTS}.")
        if sha256_of(weights) != manifest.sha256:
            raise BadPackage(f"The weights of {manifest.name} are damaged: their SHA-256 is not the manifest's.")
        return cls(path, manifest)

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
    (path / MANIFEST).write_text(json.dumps(dataclasses.asdict(manifest), indent=2) + "\n", encoding="utf-8")
    return Package(path, manifest)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
