"""Trains and judges what of a sweep is still to be done.

Each setting is trained by the ``lora`` recipe, which goes on from its own checkpoints; then each of its epochs is
judged: pictures of the captions that were held out, always the same captions and seeds, against the pictures
themselves.  The lowest KID is the best, never the lowest loss, which says little of what pictures look like.  The model
as it was is judged first, so that the table says what the training has brought.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from .. import training
from ..errors import BadInput, BadPackage, LibraryError, Stopped
from ..evaluation.eyes import F64, Eyes, choose_eyes, distances, read_picture
from ..packaging import Package
from ..pipelines.base import Progress, ShouldStop, check, tell
from ..pipelines.diffusion.residency import Residency
from ..pipelines.imagine.diffusion import DiffusionImagine
from ..requests import MAX_PROMPT, MAX_SEED, ImagineRequest
from ..training.data.captioned_folder import Captioned, records, split
from ..training.finetuning.memory import base_folder
from ..training.finetuning.run_folder import Milestone, milestones
from . import report
from .folder import Folder, Judged, Result
from .plan import BASE, Plan, Setting

LORA = "swept"


def sweep(
    plan: Plan,
    path: Path | str,
    *,
    resume: bool = False,
    device: str = "cpu",
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> list[Result]:
    """Run the sweep in ``path``; ``resume`` goes on where it was left.  The table is written anew after every setting.

    A setting whose training fails is noted with its sentence and the others go on.  Raises :class:`BadInput` for a
    sweep that cannot be run, :class:`Stopped` when asked to stop.
    """
    judge = Judge(plan, device)
    folder = Folder(path)
    folder.open(plan, resume=resume)
    for number, setting in enumerate(plan.settings):
        check(should_stop)
        if folder.is_done(setting.name):
            continue

        def told(share: float, stage: str, number: int = number, name: str = setting.name) -> None:
            tell(progress, (number + share) / len(plan.settings), f"{name}: {stage}")

        if folder.base() is None:
            folder.add(BASE, judge.judge(None, 0, told, should_stop))
        folder.finish(setting.name, _run(folder, setting, judge, told, should_stop))
        report.write_report(folder, plan)
    _keep_best(folder, plan)
    return folder.results(plan)


def _run(folder: Folder, setting: Setting, judge: Judge, progress: Progress, should_stop: ShouldStop | None) -> str:
    """Train and judge one setting.  Returns why it failed, "" where it did not."""
    run = folder.run(setting.name)
    try:
        training.train(setting.recipe, run, resume=True, progress=progress, should_stop=should_stop)
    except (BadInput, BadPackage, Stopped):
        raise
    except LibraryError as error:
        return str(error)
    known = {judged.step for judged in folder.judged(setting.name)}
    for milestone in milestones(run):
        if milestone.package is not None and milestone.step not in known:
            folder.add(setting.name, judge.judge(milestone, milestone.step, progress, should_stop))
    return ""


class Judge:
    """Looks at checkpoints through the same pictures; raises :class:`BadInput` where too few were held out."""

    def __init__(self, plan: Plan, device: str) -> None:
        recipe = plan.settings[0].recipe
        self._judging, self._device = plan.judging, device
        self._base = Package.load(base_folder(recipe.base))
        pictures = records(recipe.data_dir)
        self._held: Sequence[Captioned] = split(pictures, recipe.validation, recipe.seed)[1]
        if len(self._held) < 2:
            raise BadInput(
                f"Of {len(pictures)} pictures fewer than two are held out; raise validation to judge by them."
            )
        self._captions = [each.text[:MAX_PROMPT] for each in self._held if each.text]
        if not self._captions:
            raise BadInput(f"The pictures of {recipe.data_dir} have no captions to paint from.")
        self._said = f"{len(self._held)} pictures held out of {Path(recipe.data_dir).name}, seed {recipe.seed}"
        self._eyes: Eyes | None = None
        self._real: F64 | None = None

    def judge(
        self, milestone: Milestone | None, step: int, progress: Progress | None, should_stop: ShouldStop | None
    ) -> Judged:
        """The figures of a checkpoint, or of the model as it was."""
        eyes = self._eyes or choose_eyes(Path(self._judging.inception) if self._judging.inception else None)
        if self._real is None:
            self._eyes, self._real = eyes, eyes.features(_square(each.path) for each in self._held)
        painted = self._paint(None if milestone is None else milestone.package, step, progress, should_stop)
        kid, fid = distances(eyes, self._real, eyes.features(painted), self._said)
        figures = {} if milestone is None else milestone.figures
        return Judged(step, kid, fid, figures.get("validation_loss"))

    def _paint(
        self, lora: Path | None, step: int, progress: Progress | None, should_stop: ShouldStop | None
    ) -> list[Image.Image]:
        judging = self._judging
        loras, named = ({}, ()) if lora is None else ({LORA: lora}, (f"{LORA}:1.0",))
        engine = DiffusionImagine(self._base, self._device, loras=loras, resident=Residency())
        painted = []
        for number in range(judging.count):
            check(should_stop)
            tell(progress, number / judging.count, f"painting {number + 1} of {judging.count} at step {step}")
            request = ImagineRequest(
                self._captions[number % len(self._captions)],
                (judging.seed + number) % (MAX_SEED + 1),
                steps=judging.steps,
                guidance=judging.guidance,
                size=judging.size,
                loras=named,
            )
            image = engine([request])[0].image
            if image is not None:
                painted.append(image)
        return painted


def _square(path: Path) -> Image.Image:
    """The middle of a picture, as the recipe cuts it for training."""
    picture = read_picture(path)
    return ImageOps.fit(picture, (min(picture.size),) * 2, Image.Resampling.LANCZOS)


def _keep_best(folder: Folder, plan: Plan) -> None:
    """Copy the package of the lowest KID of all beside the table."""
    found = [(each.best.kid.value, each) for each in folder.results(plan) if each.best is not None]
    if not found:
        return
    result = min(found, key=lambda pair: pair[0])[1]
    assert result.best is not None
    package = next(each.package for each in milestones(folder.run(result.name)) if each.step == result.best.step)
    assert package is not None
    partial = folder.path / "best.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(package, partial)
    shutil.rmtree(folder.path / "best", ignore_errors=True)
    partial.rename(folder.path / "best")
    said = {"setting": result.name, "step": result.best.step, "kid": result.best.kid.value}
    (folder.path / "best.json").write_text(json.dumps(said) + "\n", encoding="utf-8")
