"""A run directory: the config, a JSON-lines log, an atomic checkpoint and sample sheets.

::

    run_dir/config.json       the recipe as it was run
    run_dir/log.jsonl         one JSON object a line: step, seconds, metrics
    run_dir/checkpoint.pt     the newest state, replaced atomically (of fine-tuning: checkpoints/STEP, a folder)
    run_dir/samples/*.png     what the model made along the way
    run_dir/package           the averaged weights, to be served with ``--model`` or added by an admin
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from ..errors import BadInput
from ..packaging import Package, save_package
from .data.shards import Access
from .distributed import Workers, alone
from .recipe import make_recipe


class Run:
    """Opens ``run_dir`` for ``config`` (a recipe dataclass).

    A directory that already holds a checkpoint is refused unless ``resume`` is set, so a finished run is never
    overwritten by accident.  With ``resume``, a config that differs from the recorded one is refused: it would not be
    the same curve.  ``free`` names the fields that may differ (how long to train).  Of several ``workers`` the writer
    alone touches the directory; the others may stand on machines that do not have it.  ``access`` is how shards are
    reached.
    """

    def __init__(
        self,
        run_dir: Path | str,
        config: Any,
        *,
        resume: bool = False,
        free: tuple[str, ...] = ("steps",),
        workers: Workers | None = None,
        access: Access | None = None,
    ) -> None:
        self.path = Path(run_dir)
        self.resume = resume
        self.workers = alone() if workers is None else workers
        self.access = Access() if access is None else access
        self._started = time.monotonic()
        if self.workers.is_writer:
            self._open(config, free)

    def _open(self, config: Any, free: tuple[str, ...]) -> None:
        recorded = self.path / "config.json"
        if (self.path / "checkpoint.pt").exists() or self._newest_folder() is not None:
            if not self.resume:
                raise BadInput(f"{self.path} already holds a run; give --resume to go on or another --run-dir.")
            self._same_recipe(json.loads(recorded.read_text(encoding="utf-8")), config, free)
        (self.path / "samples").mkdir(parents=True, exist_ok=True)
        recorded.write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n", encoding="utf-8")

    @staticmethod
    def _same_recipe(recorded: dict[str, Any], config: Any, free: tuple[str, ...]) -> None:
        """Read as a recipe, for a setting that is younger than the run had the value that is its default now."""
        before, now = dataclasses.asdict(make_recipe(recorded)), dataclasses.asdict(config)
        changed = sorted(key for key in now if key not in free and now[key] != before[key])
        if changed:
            raise BadInput(
                f"The recipe differs from the run's own in {', '.join(changed)}; a resumed run keeps its recipe."
            )

    def cache(self, name: str) -> Path | None:
        """Where to keep what takes long to make: in the run's directory, or nowhere on a machine that lacks it."""
        return self.path / name if self.path.is_dir() else None

    def log(self, step: int, **metrics: float) -> None:
        """Append one line."""
        if not self.workers.is_writer:
            return
        entry = {"step": step, "seconds": round(time.monotonic() - self._started, 1), **metrics}
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def save(self, state: dict[str, Any]) -> None:
        """Write the checkpoint beside the old one, then swap: a kill at any moment leaves a whole file."""
        if not self.workers.is_writer:
            return
        partial = self.path / "checkpoint.partial"
        torch.save(state, partial)
        partial.replace(self.path / "checkpoint.pt")

    def load(self) -> dict[str, Any] | None:
        """The newest checkpoint if this run resumes and has one; log lines past it are dropped, to be made again."""
        return self.workers.from_writer(self._read() if self.workers.is_writer else None)

    def _read(self) -> dict[str, Any] | None:
        if not self.resume:
            return None
        path = self.path / "checkpoint.pt"
        if not path.exists():
            self._drop_log_after(0)
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self._drop_log_after(int(state["step"]))
        return state

    def resumed(self) -> Path | None:
        """The folder of the newest checkpoint if this run resumes, for recipes whose checkpoints are folders.

        All workers need to see the run's directory.
        """
        folder = self._newest_folder() if self.resume else None
        self.workers.barrier()  # before the writer makes another
        if self.resume and self.workers.is_writer:
            self._drop_log_after(0 if folder is None else int(folder.name))
        return folder

    def _newest_folder(self) -> Path | None:
        folders = [path for path in self.path.glob("checkpoints/*") if path.name.isdigit()]
        return max(folders, key=lambda path: int(path.name), default=None)

    def _drop_log_after(self, step: int) -> None:
        log = self.path / "log.jsonl"
        if log.exists():
            kept = [line for line in log.read_text(encoding="utf-8").splitlines() if json.loads(line)["step"] <= step]
            log.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def export(self, network: torch.nn.Module, config: Any, capability: str, architecture: str) -> Package:
        """Write the network as the run's package."""
        return save_package(
            self.path / "package",
            name=self.path.name,
            capability=capability,
            architecture=architecture,
            config=config,
            state_dict=network.state_dict(),
        )

    def samples(self, step: int, image: Image.Image) -> None:
        if not self.workers.is_writer:
            return
        image.save(self.path / "samples" / f"{step:06d}.png")
