"""The figures of several versions side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_backend.models import ModelVersion


@dataclass(frozen=True)
class Figure:
    """One measured figure, and how it came about."""

    value: str
    beside: str
    """Deviation, how many, on which features and data: "± 0.004, n 400, classifier features"."""
    command: str


@dataclass(frozen=True)
class Row:
    """One metric and what each version has of it; None where it was not measured."""

    metric: str
    figures: tuple[Figure | None, ...]


def side_by_side(versions: Sequence[ModelVersion]) -> list[Row]:
    """A row for every metric of any of them, in the order in which they are first told."""
    known = [_figures(version) for version in versions]
    metrics = dict.fromkeys(metric for figures in known for metric in figures)
    return [Row(metric, tuple(figures.get(metric) for figures in known)) for metric in metrics]


def _figures(version: ModelVersion) -> dict[str, Figure]:
    rows = version.metrics if isinstance(version.metrics, list) else []
    told = [row for row in rows if isinstance(row, Mapping) and row.get("metric")]
    return {_title(row): _figure(row) for row in told}


def _title(row: Mapping[str, Any]) -> str:
    """Figures of different features or data are different metrics: they do not compare."""
    on = ", ".join(str(row[name]) for name in ("features", "data") if row.get(name))
    return f"{row['metric']} ({on})" if on else str(row["metric"])


def _figure(row: Mapping[str, Any]) -> Figure:
    deviation, n = row.get("deviation"), row.get("n")
    beside = [f"± {_number(deviation)}"] if deviation is not None else []
    beside += [f"n {_number(n)}"] if n is not None else []
    return Figure(_number(row.get("value")), ", ".join(beside), str(row.get("command") or ""))


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value if value is not None else "not measured")
