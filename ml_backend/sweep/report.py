"""What a sweep shows of what it knows: the table in three forms, the plots, and a contact sheet of each run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ..evaluation.table import aligned, markdown, said
from ..training.finetuning.run_folder import Milestone, milestones
from . import plots
from .folder import Folder, Judged, write
from .plan import Plan

CAPTION = 16
SHEET_WIDTH = 2400
"""Pixels that a contact sheet is at most wide."""
FIGURES = ("best_step", "kid", "kid_deviation", "fid", "fid_deviation", "n", "validation_loss")


def table(folder: Folder, plan: Plan) -> list[dict[str, Any]]:
    """A row a setting, in the order of the plan; ``best`` marks the lowest KID of all."""
    results = folder.results(plan)
    finished = [result for result in results if result.best is not None]
    winner = min(finished, key=lambda result: result.best.kid.value if result.best else 0.0, default=None)
    rows = []
    for setting, result in zip(plan.settings, results, strict=True):
        varied = {field: plan.value(setting, field) for field in plan.varied}
        rows.append(
            {"setting": setting.name, **varied, "state": result.state}
            | _figures(result.best)
            | {"seconds": result.seconds, "best": result is winner, "failed": result.failed}
        )
    return rows


def _figures(judged: Judged | None) -> dict[str, Any]:
    if judged is None:
        return dict.fromkeys((*FIGURES, "features", "data"))
    kid, fid = judged.kid, judged.fid
    values = (judged.step, kid.value, kid.deviation, fid.value, fid.deviation, kid.n, judged.validation_loss)
    return dict(zip(FIGURES, values, strict=True)) | {"features": kid.features, "data": kid.data}


def summary(folder: Folder, plan: Plan) -> list[str]:
    """The table for a terminal."""
    head, body = _readable(folder, plan)
    return aligned([head, *body])


def write_report(folder: Folder, plan: Plan) -> None:
    """Write table, plots and sheets anew."""
    rows = table(folder, plan)
    write(folder.path / "table.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write(folder.path / "table.csv", text.getvalue())
    write(folder.path / "table.md", _markdown(folder, plan))
    for name, drawn in _plots(folder, plan).items():
        write(folder.path / "plots" / f"{name}.svg", drawn)
    _sheets(folder, plan)


def _readable(folder: Folder, plan: Plan) -> tuple[list[str], list[list[str]]]:
    head = ["", *plan.varied, "best at step", "KID", "FID", "validation loss", "minutes"]
    body = []
    for row, result in zip(table(folder, plan), folder.results(plan), strict=True):
        best = result.best
        figures = ["", said(None), said(None), ""]
        if best is not None:
            loss = "" if best.validation_loss is None else f"{best.validation_loss:.4f}"
            figures = [str(best.step), said(best.kid), said(best.fid), loss]
        state = "best" if row["best"] else "" if best is not None else result.failed or result.state
        varied = [f"{row[name]:g}" if isinstance(row[name], float) else str(row[name]) for name in plan.varied]
        body.append([state, *varied, *figures, f"{result.seconds / 60:.1f}"])
    base = folder.base()
    if base is not None:
        body.append(["before", *[""] * len(plan.varied), "0", said(base.kid), said(base.fid), "", ""])
    return head, body


def _markdown(folder: Folder, plan: Plan) -> str:
    head, body = _readable(folder, plan)
    base = folder.base()
    seen = ""
    if base is not None:
        seen = (
            f"\nKID and FID in the features of {base.kid.features} against {base.kid.data}, with their deviation; n is "
            "the smaller number of pictures on the two sides. FID of few pictures is too high and is to be compared "
            "only here. The best checkpoint is the one of the lowest KID; the loss beside it chooses nothing.\n"
        )
    shown = "\n![KID by setting](plots/kid.svg)\n\n![KID over the steps](plots/kid-steps.svg)\n"
    losses = "\n![Validation loss over the steps](plots/loss-steps.svg)\n"
    return markdown(head, body) + seen + shown + losses


def _plots(folder: Folder, plan: Plan) -> dict[str, str]:
    results, base = folder.results(plan), folder.base()
    level = None if base is None else ("before", base.kid.value)
    best = {each.name: (each.best.kid.value, each.best.kid.deviation) for each in results if each.best is not None}
    kids = {each.name: [(float(one.step), one.kid.value) for one in each.judged] for each in results}
    losses = {
        each.name: [(float(one.step), one.validation_loss) for one in each.judged if one.validation_loss is not None]
        for each in results
    }
    return {
        "kid": plots.bars("KID of each setting's best checkpoint", "KID (lower is better)", best, level),
        "kid-steps": plots.lines("KID of each checkpoint", "steps", "KID", kids, level),
        "loss-steps": plots.lines("Validation loss of each checkpoint", "steps", "loss", losses),
    }


def _sheets(folder: Folder, plan: Plan) -> None:
    bests: list[tuple[str, Milestone]] = []
    for result in folder.results(plan):
        found = [each for each in milestones(folder.run(result.name)) if each.pictures]
        if found:
            _save(folder.path / "sheets" / f"{result.name}.png", [(f"step {each.step}", each) for each in found])
        bests += [(result.name, each) for each in found if result.best is not None and each.step == result.best.step]
    if bests:
        _save(folder.path / "sheets" / "best.png", bests)


def _save(path: Path, rows: Sequence[tuple[str, Milestone]]) -> None:
    """A row for each milestone: the pictures of the fixed prompts, one after the other, under its name."""
    pictures = [[path for prompt in milestone.pictures for path in prompt] for _, milestone in rows]
    with Image.open(pictures[0][0]) as first:
        side = min(first.width, SHEET_WIDTH // max(map(len, pictures)))
    page = Image.new("RGB", (side * max(map(len, pictures)), (side + CAPTION) * len(rows)), "#ffffff")
    draw = ImageDraw.Draw(page)
    for row, ((name, _), paths) in enumerate(zip(rows, pictures, strict=True)):
        top = row * (side + CAPTION)
        draw.text((4, top + CAPTION // 2), name, "#26241f", ImageFont.load_default(12), anchor="lm")
        for column, each in enumerate(paths):
            with Image.open(each) as opened:
                page.paste(opened.convert("RGB").resize((side, side)), (column * side, top + CAPTION))
    partial = path.with_suffix(".partial.png")
    page.save(partial)
    partial.replace(path)
