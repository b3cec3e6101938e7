"""What lies where in the folder of a sweep, and what is known of it so far; imports no torch.

::

    SWEEP/sweep.json            the sweep as it is run
    SWEEP/runs/NAME/            a run of each setting, as ``train`` leaves it
    SWEEP/judged/NAME.jsonl     a line each checkpoint that has been judged (``base.jsonl``: the model as it was)
    SWEEP/done/NAME.json        written last: this setting is finished and is never run again
    SWEEP/table.jsonl, .csv, .md   a row a setting
    SWEEP/plots/*.svg           KID and loss over the steps, KID by setting
    SWEEP/sheets/NAME.png       the fixed prompts of a run, a row an epoch; ``best.png``: those of every run's best
    SWEEP/best/                 the package of the best checkpoint of all, and ``best.json``

Every file is replaced whole, so a kill at any moment leaves what was known.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..evaluation.table import Row
from ..training.finetuning.run_folder import read_log
from .plan import BASE, Plan

FINISHED, FAILED, RUNNING, WAITING = "finished", "failed", "running", "waiting"


@dataclass(frozen=True)
class Judged:
    """A checkpoint's figures: step 0 is the model as it was."""

    step: int
    kid: Row
    fid: Row
    validation_loss: float | None = None


@dataclass(frozen=True)
class Result:
    """What is known of a setting: ``state``, why it ``failed``, its judged checkpoints, and the seconds of training."""

    name: str
    state: str
    judged: tuple[Judged, ...] = ()
    failed: str = ""
    seconds: float = 0.0

    @property
    def best(self) -> Judged | None:
        """The checkpoint of the lowest KID, the earlier one of equals; the loss says nothing here."""
        return min(self.judged, key=lambda each: (each.kid.value, each.step), default=None)


class Folder:
    """A sweep's folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def open(self, plan: Plan, *, resume: bool) -> None:
        """Raises :class:`BadInput` for a folder that holds a sweep and is not to be gone on with, or another sweep."""
        recorded = self.path / "sweep.json"
        if recorded.exists():
            if not resume:
                raise BadInput(f"{self.path} already holds a sweep; give --resume to go on or another --run-dir.")
            if json.loads(recorded.read_text(encoding="utf-8")) != plan.written:
                raise BadInput(f"{self.path} holds another sweep; a sweep that is gone on with stays as it was.")
        for name in ("runs", "judged", "done", "plots", "sheets"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        write(recorded, json.dumps(plan.written, indent=2) + "\n")

    def run(self, name: str) -> Path:
        return self.path / "runs" / name

    def finish(self, name: str, failed: str = "") -> None:
        """From now on the setting is not run again."""
        write(self.path / "done" / f"{name}.json", json.dumps({"failed": failed}) + "\n")

    def is_done(self, name: str) -> bool:
        return (self.path / "done" / f"{name}.json").exists()

    def judged(self, name: str) -> tuple[Judged, ...]:
        path = self.path / "judged" / f"{name}.jsonl"
        if not path.exists():
            return ()
        return tuple(_judged(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())

    def add(self, name: str, judged: Judged) -> None:
        lines = [json.dumps(asdict(each)) for each in (*self.judged(name), judged)]
        write(self.path / "judged" / f"{name}.jsonl", "".join(f"{line}\n" for line in lines))

    def base(self) -> Judged | None:
        """The figures of the model as it was, if they are known."""
        return next(iter(self.judged(BASE)), None)

    def results(self, plan: Plan) -> list[Result]:
        return [self.result(setting.name) for setting in plan.settings]

    def result(self, name: str) -> Result:
        judged, seconds = self.judged(name), _seconds(read_log(self.run(name)))
        if self.is_done(name):
            failed = json.loads((self.path / "done" / f"{name}.json").read_text(encoding="utf-8"))["failed"]
            return Result(name, FAILED if failed else FINISHED, judged, failed, seconds)
        return Result(name, RUNNING if self.run(name).exists() else WAITING, judged, "", seconds)


def write(path: Path, text: str) -> None:
    """Replace a file whole."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _judged(data: dict[str, Any]) -> Judged:
    return Judged(data["step"], Row(**data["kid"]), Row(**data["fid"]), data["validation_loss"])


def _seconds(log: Iterable[dict[str, Any]]) -> float:
    """Of all the processes that trained the run: each counts from 0 on."""
    total = last = 0.0
    for line in log:
        if line["seconds"] < last:
            total += last
        last = line["seconds"]
    return round(total + last, 1)
