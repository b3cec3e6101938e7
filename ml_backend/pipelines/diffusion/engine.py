"""The part that restyle and imagine have in common: a folder package, kept resident, its batches and its verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ...errors import BadPackage
from ...packaging import Package
from ..base import REFUSED, SafetyCheck
from .loading import read_index
from .model import DiffusionModel
from .residency import Residency
from .sampling import Painted

RESIDENT: Residency[DiffusionModel] = Residency()
"""Every diffusion model that this process holds."""


class DiffusionEngine:
    """Holds no weights itself: :data:`RESIDENT` does, and loads them again after they were put away.

    ``device`` is cpu or cuda.  ``batch`` is how many pictures are made in one pass: by default all on CUDA, one on a
    CPU, where they would not be faster together.  ``loras`` says where the named ones lie, and is asked at every call.
    ``compile`` has torch compile the UNet's blocks: worth it where many pictures of one size are made.
    """

    def __init__(
        self,
        package: Package,
        device: str = "cpu",
        *,
        safety: SafetyCheck | None = None,
        loras: Mapping[str, Path] | None = None,
        batch: int | None = None,
        compile: bool = False,
        resident: Residency[DiffusionModel] = RESIDENT,
    ) -> None:
        read_index(package)
        self.package, self.device = package, device
        self.model = package.manifest.reference
        self._safety, self._loras = safety, {} if loras is None else loras
        self._batch, self._compile, self._resident = batch, compile, resident
        with self.loaded():
            pass  # what is wrong with the folder is said now, not in the middle of somebody's work

    @contextmanager
    def loaded(self) -> Iterator[DiffusionModel]:
        """The model, for this thread alone."""

        def load() -> DiffusionModel:
            return DiffusionModel(self.package, self.device, compile=self._compile)

        key = (self.package.path.resolve(), self.package.manifest.sha256, self.device, self._compile)
        with self._resident.use(key, self.device, self._need(), load) as model:
            yield model

    def _need(self) -> int:
        """About how many bytes the model takes: what is stored in half precision takes twice the room on a CPU."""
        try:
            return self.package.size * (1 if self.device.startswith("cuda") else 2)
        except OSError as error:
            raise BadPackage(f"{self.package.manifest.name} lacks its file {error.filename}.") from error

    def batch_of(self, count: int) -> int:
        """How many of so many pictures go through the model together."""
        if self._batch is not None:
            return self._batch
        return count if self.device.startswith("cuda") else 1

    def verdict(self, painted: list[Painted], picture: Image.Image, prompt: str) -> str:
        """Why the picture must not be shown; "" when it may be."""
        if any(each.flagged for each in painted):
            return REFUSED
        return "" if self._safety is None else self._safety(picture, prompt)
