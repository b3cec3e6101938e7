"""One table of figures, for the shell and for pages: what ``evaluate --json`` writes and what a version's page shows.

A table is a JSON list of rows, each with these seven keys and no others::

    {"metric": "kid", "value": 0.042, "deviation": 0.003, "n": 400,
     "features": "classifier-starter@12a08dfbe112", "data": "1000 held-out photos", "command": "evaluate kid a b"}

``metric`` is a name of :data:`METRICS`, or one made of it (``kid_floral``, ``drawn_srgan_psnr``); ``value`` is finite;
``deviation`` says how far ``value`` would move with other pictures of the same kind (one deviation), null where
that is not known; ``n`` counts the pictures or pairs behind it, null where nobody counted; ``features`` says whose eyes
saw them (model and digest), "" where pixels were compared; ``data`` says on what, ``command`` how to measure it again.

Two figures may be compared where metric, features and data are the same, and nowhere else (:func:`side_by_side`).
Neither torch nor Django is imported here.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..errors import BadInput

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True)
class Metric:
    """``label`` for people, which way is ``better`` ("" says nothing), and ``means``, one sentence."""

    label: str
    better: Better
    means: str


METRICS: dict[str, Metric] = {
    "kid": Metric("KID", "lower", "Kernel distance of two sets of pictures; about 0 where they are alike."),
    "fid": Metric("FID", "lower", "Frechet distance of two sets of pictures; too high where they are few."),
    "lpips": Metric("LPIPS", "lower", "How different two pictures look to a network; 0 is the same."),
    "distance": Metric(
        "feature distance", "lower", "How different two pictures look to a network, channels unweighted."
    ),
    "psnr": Metric("PSNR", "higher", "Signal over error in decibels."),
    "ssim": Metric("SSIM", "higher", "Structural similarity; 1 is the same picture."),
    "iou": Metric("IoU", "higher", "Overlap of two masks; 1 is the same mask."),
    "miou": Metric("mean IoU of classes", "higher", "Overlap of masks, the mean over all classes."),
    "boundary": Metric("boundary F", "higher", "How well outlines agree; 1 is the same outline."),
    "seam": Metric("seam ratio", "lower", "Jump across a tile's border over the jumps inside; 1 and below is no seam."),
    "clip": Metric("CLIP score", "higher", "How well pictures agree with their words, 0 to 100."),
    "colours": Metric("colours obeyed", "higher", "Share of colour words that the picture bears."),
    "patterns": Metric("patterns obeyed", "higher", "Share of pattern words that are recognised in the picture."),
    "colour": Metric("colour obeyed", "higher", "Share of pictures that bear this colour when asked for it."),
    "pattern": Metric("pattern obeyed", "higher", "Share of pictures in which this pattern is recognised as asked."),
    "recognised": Metric("recognised", "higher", "Share of fabrics taken for the type that was asked for."),
    "chosen": Metric("chosen", "higher", "Share of sentences that name a design and are read as it."),
    "found": Metric("repeats found", "higher", "Share of photographed cloths whose repeat is found."),
    "step_error": Metric("error of the repeat", "lower", "Error of a found repeat as a share of its length."),
    "ink_de": Metric("error of the inks", "lower", "CIELAB distance of drawn colours to the inks that were found."),
    "diversity": Metric("diversity", "", "How varied fabrics are against drawn ones; 1 is as varied."),
    "accuracy": Metric("accuracy", "higher", "Share of pictures that are told right."),
    "loss": Metric("loss", "lower", "The training's own error on pictures held out."),
}


@dataclass(frozen=True)
class Row:
    """One figure with all that belongs to it, see above.  Raises :class:`BadInput` for a value that is none."""

    metric: str
    value: float
    deviation: float | None = None
    n: int | None = None
    features: str = ""
    data: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        wrong = [
            name
            for name, value in (("value", self.value), ("deviation", self.deviation))
            if value is not None and not (_is_number(value) and math.isfinite(value))
        ]
        texts = (self.metric, self.features, self.data, self.command)
        wrong += ["n"] if self.n is not None and (type(self.n) is not int or self.n < 0) else []
        wrong += ["text"] if not self.metric or not all(isinstance(text, str) for text in texts) else []
        if self.value is None or wrong:
            raise BadInput(f"{self.metric or 'A figure'} is no figure of a table: {', '.join(wrong) or 'value'}.")

    @property
    def key(self) -> tuple[str, str, str]:
        """What two rows share that may be compared."""
        return self.metric, self.features, self.data


@dataclass(frozen=True)
class Compared:
    """One metric on one set seen by the same eyes: for each version its row, or None, and is it the ``best``?"""

    metric: str
    features: str
    data: str
    cells: tuple[Row | None, ...]
    best: tuple[bool, ...]


def spread(values: Sequence[float]) -> float | None:
    """How far the mean of the values would move with others of their kind; None where that cannot be told."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def mean_row(metric: str, values: Sequence[float], features: str = "") -> Row:
    """The mean of one value a picture, or pair."""
    return Row(metric, statistics.fmean(values), spread(values), len(values), features)


def about(metric: str) -> Metric:
    """What is known of a metric's name; of one that is made of another ("kid_floral"), what is known of that."""
    if metric in METRICS:
        return METRICS[metric]
    known = next((part for part in metric.split("_") if part in METRICS), None)
    plain = metric.replace("_", " ")
    if known is None:
        return Metric(plain, "", "")
    base = METRICS[known]
    rest = " ".join(part for part in metric.split("_") if part != known)
    return Metric(f"{base.label}, {rest}" if rest else base.label, base.better, base.means)


def to_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as JSON holds them."""
    return [asdict(row) for row in rows]


def from_json(data: Any) -> tuple[Row, ...]:
    """Rows of a table's JSON, or of a document that has one as its ``table``.  Raises :class:`BadInput`."""
    found = data.get("table") if isinstance(data, Mapping) else data
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise BadInput("This is no table of figures: a list of rows was expected.")
    try:
        return tuple(Row(**row) for row in found)
    except TypeError as error:
        raise BadInput("This is no table of figures: a row has other keys than a figure has.") from error


def with_rows(rows: Sequence[Row], newer: Iterable[Row]) -> tuple[Row, ...]:
    """The table with the newer rows in it: each in the place of the one that it measures again, else at the end."""
    made = {row.key: row for row in rows}
    made.update({row.key: row for row in newer})
    return tuple(made.values())


def side_by_side(tables: Mapping[str, Sequence[Row]]) -> tuple[Compared, ...]:
    """The figures of several versions (name -> table), a line for each metric, set and features, as they first occur.

    Figures on other data or other features stand in lines of their own: they say nothing about each other.
    """
    keys = dict.fromkeys(row.key for rows in tables.values() for row in rows)
    by_version = [{row.key: row for row in rows} for rows in tables.values()]
    return tuple(_compared(key, tuple(rows.get(key) for rows in by_version)) for key in keys)


def said(row: Row | None) -> str:
    """ "0.0420 ± 0.0030 (n = 400)"; a dash where nothing was measured."""
    if row is None:
        return "–"
    text = f"{row.value:.1f}" if abs(row.value) >= 1000 else f"{row.value:.4f}"
    deviation = "" if row.deviation is None else f" ± {row.deviation:.4f}"
    return text + deviation + ("" if row.n is None else f" (n = {row.n})")


def lines(rows: Sequence[Row]) -> list[str]:
    """The table for a terminal, a line a row."""
    return aligned([(about(row.metric).label, said(row), row.features, row.data) for row in rows])


def compared_lines(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """Versions side by side for a terminal; the best figure of a line bears a star."""
    head = ("", *tables, "features", "data")
    body = [
        (
            about(line.metric).label,
            *(f"{said(row)}{' *' if best else ''}" for row, best in zip(line.cells, line.best, strict=True)),
            line.features,
            line.data,
        )
        for line in side_by_side(tables)
    ]
    return aligned([head, *body])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of a terminal, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; bars in the cells are escaped."""
    written = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in (head, *rows)]
    body = [f"| {' | '.join(row)} |" for row in written]
    return "\n".join([body[0], "|" + " --- |" * len(head), *body[1:]]) + "\n"


def _compared(key: tuple[str, str, str], cells: tuple[Row | None, ...]) -> Compared:
    values = [row.value for row in cells if row is not None]
    better = about(key[0]).better
    first = {"lower": min, "higher": max}.get(better)
    top = first(values) if first is not None and len(values) > 1 else None
    return Compared(*key, cells, tuple(row is not None and row.value == top for row in cells))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
