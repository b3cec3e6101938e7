"""A training run's checkpoint in the storage: it goes on with whichever worker is next.

What is copied is what going on needs, and what candidates are made of: the newest checkpoint, the log and the packages.
Pictures, masks and samples are not in it; they are laid out or found again.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tarfile
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from ..errors import BadInput
from ..models import TrainingRun
from ..training.finetuning import run_folder
from .storage import delete_files

log = logging.getLogger(__name__)

EVERY_SECONDS = 300.0
"""A run under way is copied no more often; when it stops it is copied in any case."""
COPIED = (run_folder.CONFIG, run_folder.LOG, run_folder.CHECKPOINTS, run_folder.PACKAGES, run_folder.PACKAGE)

DAMAGED = "The kept copy of this run's checkpoint is damaged. Nothing was begun; start the run anew."


def step_of(folder: Path) -> int:
    """The step of the newest whole checkpoint; 0 without one."""
    steps = (path.name for path in (folder / run_folder.CHECKPOINTS).glob("*"))
    return max((int(name) for name in steps if name.isdigit()), default=0)


class Copies:
    """Keeps the copy of the run in ``folder`` as new as is worth it."""

    def __init__(self, run: TrainingRun, folder: Path) -> None:
        self.run, self.folder = run, folder
        self._kept = int(run.copy.get("step", 0))
        self._at = time.monotonic()

    def keep_now_and_then(self) -> None:
        if time.monotonic() >= self._at + EVERY_SECONDS:
            self.keep()

    def keep(self) -> None:
        """Copy a checkpoint that is newer than the copy.  A store that is away costs the copy, not the training."""
        self._at = time.monotonic()
        step = step_of(self.folder)
        if step <= self._kept and not self._has_more():
            return
        try:
            if _keep(self.run, self.folder, step):
                self._kept = step
        except Exception:
            log.exception("The checkpoint of run %s was not copied to the storage.", self.run.pk)

    def _has_more(self) -> bool:
        """Whether the result is there and the copy is without it."""
        return (self.folder / run_folder.PACKAGE).exists() and not self.run.copy.get("whole")


def _keep(run: TrainingRun, folder: Path, step: int) -> bool:
    """Whether there is a copy now: not of what is larger than is worth copying, nor of a run that is deleted."""
    paths = [folder / name for name in COPIED if (folder / name).exists()]
    size = sum(file.stat().st_size for path in paths for file in (path, *path.rglob("*")) if file.is_file())
    if not 0 < size <= settings.RUN_COPY_BYTES:
        return False
    with tempfile.NamedTemporaryFile(suffix=".tar") as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path in paths:
                tar.add(path, path.name)
        packed.seek(0)
        sha256 = hashlib.file_digest(packed, "sha256").hexdigest()
        packed.seek(0)
        key = default_storage.save(f"runs/{run.pk}/copy-{step:06d}.tar", File(packed))
    before = run.copy.get("key")
    run.copy = {"step": step, "key": key, "sha256": sha256, "whole": (folder / run_folder.PACKAGE).exists()}
    if not TrainingRun.objects.filter(pk=run.pk).update(copy=run.copy):
        delete_files([key])
        return False
    delete_files([before] if before else [])
    return True


def fetch(run: TrainingRun, folder: Path) -> None:
    """Lay out the copy where this machine knows less of the run.  Raises :class:`BadInput` when it is damaged."""
    if not run.copy or _has_all(run, folder):
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        tempfile.NamedTemporaryFile(suffix=".tar", dir=folder) as packed,
        default_storage.open(run.copy["key"]) as kept,
    ):
        shutil.copyfileobj(kept, packed)
        packed.seek(0)
        if hashlib.file_digest(packed, "sha256").hexdigest() != run.copy["sha256"]:
            raise BadInput(DAMAGED)
        packed.seek(0)
        for name in COPIED:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        with tarfile.open(fileobj=packed, mode="r") as tar:
            tar.extractall(folder, filter="data")


def _has_all(run: TrainingRun, folder: Path) -> bool:
    whole = not run.copy.get("whole") or (folder / run_folder.PACKAGE).exists()
    return whole and step_of(folder) >= int(run.copy["step"])


def forget(run: TrainingRun) -> None:
    """Delete the copy."""
    delete_files([run.copy["key"]] if run.copy else [])
