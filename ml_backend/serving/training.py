"""A training run in a child process of the worker: begun, watched, stopped, gone on with.

The run's folder is the truth of how far it is (:mod:`ml_backend.training.finetuning.run_folder`); what pages show of it
is copied into its row and, for pictures, into the storage, so that the site needs no disk of the worker's.  One child
at a time works in a folder: it holds a lock that it inherits, so that a worker that takes over from one that was killed
waits until the child of that one is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import F
from PIL import Image

from ..errors import BadInput, Stopped
from ..models import TrainingRun
from ..pipelines.base import Progress, ShouldStop
from ..pipelines.diffusion.residency import memory_of
from ..training.finetuning import run_folder
from ..training.stopping import STOP
from . import run_copies
from .faults import BrokenProcess
from .storage import delete_files

COMMAND = (sys.executable, "-m", "ml_backend.serving.tethered")
LOOK_SECONDS = 0.5
TELL_SECONDS = 2.0
"""How often the child is looked at, and how often its row is told."""
GRACE_SECONDS = 45.0
"""What a child gets to keep a checkpoint in, from being asked to stop to being killed."""
TAKE_OVER_SECONDS = 60.0
"""How long the child of a worker that is gone may take to notice it."""
MOST_POINTS, MOST_SAMPLES = 300, 24
TAIL_LINES, TAIL_BYTES = 24, 8000
SHEET_SIDE = 1024
RECIPE, OUTPUT, LOCK, DATA = "recipe.json", "output.log", "lock", "data"

LEAVING = "The worker was asked to end; the run goes on with the next one."
BUSY = "Another worker is still at this run. Nothing is lost; try again in a minute."
BROKE = "The training broke off. Its checkpoint is kept; the log says what happened, and it can be gone on with."
KILLED = "The training was ended from outside, perhaps for want of memory. Its checkpoint is kept."


_leaving: Any = None
"""Shared by a worker's main process, which alone hears that it is to end, and its pool."""


def listen() -> None:
    """To be called in a worker's main process before its pool is made."""
    global _leaving
    _leaving = multiprocessing.Event()


def leave() -> None:
    """The worker was asked to end: a run that takes hours is handed back, not waited for."""
    if _leaving is not None:
        _leaving.set()


def is_leaving() -> bool:
    """Whether this worker was asked to end."""
    return _leaving is not None and bool(_leaving.is_set())


def folder_of(run: TrainingRun) -> Path:
    """Where its worker keeps it; the name of the folder becomes the name of the model."""
    root: Path = settings.DATA_DIR
    return root / run.run_dir


def new_folder(run: TrainingRun) -> str:
    """The ``run_dir`` of a run that has none yet, below the data folder."""
    return f"runs/{run.pk}/{run.name or run.recipe}"


def attend(
    run: TrainingRun, recipe: dict[str, Any], *, progress: Progress, should_stop: ShouldStop, steps: int
) -> None:
    """Train until the end, from the checkpoint if there is one.

    Raises :class:`Stopped` when it was asked to stop, and :class:`BrokenProcess` when its worker was, so that another
    goes on; the checkpoint is kept either way.  Raises :class:`BadInput` with a sentence when the training failed.
    """
    folder = folder_of(run)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone_in(folder) as lock:
        run_copies.fetch(run, folder)
        (folder / STOP).unlink(missing_ok=True)
        (folder / RECIPE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
        told, copies = Told(run, folder), run_copies.Copies(run, folder)
        with (folder / OUTPUT).open("ab") as output, _child(folder, lock, output) as child:
            progress(*stands(folder, steps))
            while child.poll() is None:
                if (wanted := should_stop()) or is_leaving():
                    _stop(child, folder)
                    told.tell(child.pid)
                    copies.keep()
                    raise Stopped("Stopped as asked.") if wanted else BrokenProcess(LEAVING)
                if told.is_due():
                    told.tell(child.pid)
                    progress(*stands(folder, steps))
                    copies.keep_now_and_then()
                time.sleep(LOOK_SECONDS)
            told.tell(child.pid)
            copies.keep()
    if child.returncode:
        raise BadInput(_why(child.returncode, folder))


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[IO[bytes]]:
    """The lock of the folder, which goes on being held by a child that inherits it."""
    with (folder / LOCK).open("ab") as lock:
        end = time.monotonic() + TAKE_OVER_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise BadInput(BUSY) from error
                time.sleep(LOOK_SECONDS)
        yield lock


@contextlib.contextmanager
def _child(folder: Path, lock: IO[bytes], output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """However this ends, the child does not outlive it."""
    command = [
        *COMMAND,
        str(os.getpid()),
        str(settings.TRAINING_NICE),
        "train",
        str(folder / RECIPE),
        "--run-dir",
        str(folder),
        "--resume",
    ]
    child = subprocess.Popen(  # noqa: S603
        command,
        cwd=settings.BASE_DIR,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(lock.fileno(),),
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def _environment() -> dict[str, str]:
    """What the library needs to know; nothing of the site's databases, keys and addresses."""
    secret = ("TOILE_", "DATABASE_", "DJANGO_", "AWS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(secret)}


def _stop(child: subprocess.Popen[bytes], folder: Path) -> None:
    """Ask it to keep a checkpoint and end."""
    run_folder.ask_to_stop(folder)
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)


def stands(folder: Path, steps: int) -> tuple[float, str]:
    """How far the run has come, 0..1, and in words; also before it is gone on with."""
    lines = run_folder.read_log(folder)
    if not lines:
        return 0.0, "Preparing"
    last = lines[-1]
    loss = f", loss {last['loss']:.4f}" if isinstance(last.get("loss"), int | float) else ""
    step = int(last["step"])
    return min(step / max(steps, 1), 1.0), f"Step {step} of {steps}{loss}"


def _why(status: int, folder: Path) -> str:
    """A sentence on a child that failed: its own where the input was bad."""
    if status < 0:
        return KILLED
    said = [line for line in tail_of(folder).splitlines() if line.startswith("python -m ml_backend: ")]
    return said[-1].partition(": ")[2] if status == 2 and said else BROKE


class Told:
    """Copies how the run in ``folder`` stands into its row and the storage."""

    def __init__(self, run: TrainingRun, folder: Path) -> None:
        self.run, self.folder = run, folder
        self._at = time.monotonic()
        self._gpus = 0

    def is_due(self) -> bool:
        return time.monotonic() >= self._at + TELL_SECONDS

    def tell(self, pid: int) -> None:
        """Time spent, curve, samples, checkpoints and the last lines of the log."""
        now = time.monotonic()
        spent, self._at = now - self._at, now
        self._gpus = gpus_of(pid) or self._gpus
        row = TrainingRun.objects.filter(pk=self.run.pk)
        row.update(
            seconds=F("seconds") + spent,
            gpu_seconds=F("gpu_seconds") + spent * self._gpus,
            curve=thinned(run_folder.read_log(self.folder)),
            checkpoints=checkpoints_of(self.folder),
            tail=tail_of(self.folder),
            samples=self._samples(),
        )

    def _samples(self) -> list[dict[str, Any]]:
        known = TrainingRun.objects.filter(pk=self.run.pk).values_list("samples", flat=True).first() or []
        steps = {one["step"] for one in known}
        for path in sorted((self.folder / run_folder.SAMPLES).glob("*.png")):
            step = int(path.stem) if path.stem.isdigit() else None
            if step is not None and step not in steps and (content := _sheet(path)) is not None:
                key = default_storage.save(f"runs/{self.run.pk}/samples-{step:06d}.webp", ContentFile(content))
                known.append({"step": step, "key": key})
        delete_files([one["key"] for one in known[:-MOST_SAMPLES]])
        return known[-MOST_SAMPLES:]


def _sheet(path: Path) -> bytes | None:
    """The sheet as a WebP; None while it is being written."""
    try:
        with Image.open(path) as image:
            shown = image.convert("RGB")
    except (OSError, SyntaxError):
        return None
    shown.thumbnail((SHEET_SIDE, SHEET_SIDE), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    shown.save(target, "WEBP", quality=88)
    return target.getvalue()


def checkpoints_of(folder: Path) -> list[int]:
    """The steps of which there is a package, newest last; 0 stands for the run's result."""
    steps = [int(path.name) for path in (folder / run_folder.PACKAGES).glob("*") if path.name.isdigit()]
    whole = (folder / run_folder.PACKAGE / "manifest.json").is_file()
    return [*sorted(steps), *([0] if whole else [])]


def package_at(folder: Path, step: int) -> Path:
    """Where the package of such a checkpoint lies."""
    return run_folder.package_at(folder, step) if step else folder / run_folder.PACKAGE


def thinned(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most about :data:`MOST_POINTS` lines of a log, the last among them; only steps and figures."""
    every = -(-len(lines) // MOST_POINTS) or 1
    kept = [line for number, line in enumerate(lines) if number % every == 0 or line is lines[-1] or "epoch" in line]
    return [
        {name: value for name, value in line.items() if isinstance(value, int | float) and value == value}
        for line in kept
    ]


def tail_of(folder: Path) -> str:
    """The last lines that the run printed."""
    try:
        with (folder / OUTPUT).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rpartition("\r")[2].rstrip() for line in text.replace("\0", "").splitlines()]
    return "\n".join([line for line in lines if line][-TAIL_LINES:])


def gpus_of(pid: int) -> int:
    """How many GPUs the process holds open (Linux, NVIDIA); 0 elsewhere."""
    held = set()
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            name = link.readlink().name
            if name.removeprefix("nvidia").isdigit():
                held.add(name)
    return len(held)


def forget(run: TrainingRun) -> None:
    """Delete the run's folder, its samples and the copy of its checkpoint; the models that came of it stay."""
    if run.run_dir == new_folder(run):  # a row of before may name any folder
        shutil.rmtree(folder_of(run).parent, ignore_errors=True)
    delete_files([one["key"] for one in run.samples])
    run_copies.forget(run)


# ---- whether it would fit


def device_here() -> str:
    """``cuda`` where a process of this machine finds an NVIDIA GPU; nothing of torch is touched."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return "cuda" if not hidden and free_on_gpu() else "cpu"


def free_on_gpu() -> int:
    """Free bytes of the GPU with the most; 0 without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    question = [program, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(question, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
        return max((int(line) for line in said.split()), default=0) * 1024**2
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def free_memory(device: str) -> int:
    """Free bytes of memory for a run on that device."""
    return free_on_gpu() if device == "cuda" else memory_of("cpu")[0]


def free_disk() -> int:
    """Free bytes where runs are kept."""
    return shutil.disk_usage(settings.DATA_DIR).free
