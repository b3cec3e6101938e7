"""What lies where in the folder of a fine-tuning run; imports no torch.

::

    RUN/config.json             the recipe as it is run
    RUN/log.jsonl               a line each ``log_every`` steps: step, seconds, loss (instance_loss and prior_loss too),
                                rate; a line each milestone: step, seconds, epoch, validation_loss
    RUN/checkpoints/STEP/       what Accelerate keeps to go on from; the newest alone is kept
    RUN/samples/STEP.png        a sheet of the fixed prompts, a row each
    RUN/samples/STEP/PP-NN.png  its pictures one by one: prompt PP, picture NN
    RUN/packages/STEP/          of a LoRA: the package as it was at that step, to choose the best from
    RUN/package/                the result: a LoRA, or a whole pipeline
    RUN/class-images/painted-NNNN.png   of DreamBooth: class pictures that the base painted
    RUN/masks/*.png             garment masks that were found
    RUN/stop                    write this file, and the run stops between two steps, checkpoint kept; it takes the file
                                away.  SIGTERM does the same where one process trains.  ``train`` ends with status 75;
                                ``--resume`` goes on.

STEP has six digits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..stopping import STOP

CONFIG = "config.json"
LOG = "log.jsonl"
CHECKPOINTS = "checkpoints"
SAMPLES = "samples"
PACKAGES = "packages"
PACKAGE = "package"
CLASS_IMAGES = "class-images"
FOUND_MASKS = "masks"


@dataclass(frozen=True)
class Milestone:
    """A step at which pictures were painted.

    ``package`` is the model as it was then (None where only the last is kept), ``pictures`` are those of the fixed
    prompts by prompt, ``figures`` what was logged (``validation_loss``, ``epoch``).
    """

    step: int
    package: Path | None = None
    sheet: Path | None = None
    pictures: tuple[tuple[Path, ...], ...] = ()
    figures: dict[str, float] = field(default_factory=dict)


def milestones(run: Path | str) -> list[Milestone]:
    """The milestones of a run so far, in their order."""
    run = Path(run)
    figures: dict[int, dict[str, float]] = {}
    for line in read_log(run):
        if "epoch" in line:
            figures[int(line["step"])] = {key: value for key, value in line.items() if key not in ("step", "seconds")}
    return [_milestone(run, step, figures[step]) for step in sorted(figures)]


def read_log(run: Path | str) -> list[dict[str, Any]]:
    """The lines of ``log.jsonl``; one that is just being written is left out."""
    path = Path(run) / LOG
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines


def ask_to_stop(run: Path | str) -> None:
    """Have a run stop between two steps, its checkpoint kept."""
    (Path(run) / STOP).touch()


def package_at(run: Path, step: int) -> Path:
    return run / PACKAGES / f"{step:06d}"


def sheet_at(run: Path, step: int) -> Path:
    return run / SAMPLES / f"{step:06d}.png"


def picture_at(run: Path, step: int, prompt: int, number: int) -> Path:
    return run / SAMPLES / f"{step:06d}" / f"{prompt:02d}-{number:02d}.png"


def _milestone(run: Path, step: int, figures: dict[str, float]) -> Milestone:
    package, sheet = (_existing(path) for path in (package_at(run, step), sheet_at(run, step)))
    return Milestone(step, package, sheet, _pictures(run, step), figures)


def _pictures(run: Path, step: int) -> tuple[tuple[Path, ...], ...]:
    by_prompt: dict[str, list[Path]] = {}
    for path in sorted((run / SAMPLES / f"{step:06d}").glob("*-*.png")):
        by_prompt.setdefault(path.stem.partition("-")[0], []).append(path)
    return tuple(tuple(paths) for paths in by_prompt.values())


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None
