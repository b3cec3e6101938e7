"""Commands about models: train, evaluate."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from .common import Answer, Command, bar


def add_commands(command: Command) -> None:
    train = command("train", run_train, "Train a model by its recipe.")
    train.add_argument("recipe", type=Path, metavar="RECIPE.json")
    train.add_argument("--run-dir", type=Path, required=True, metavar="DIR")
    train.add_argument("--resume", action="store_true", help="go on from the run's checkpoint, or begin if it has none")
    train.add_argument(
        "--patience", type=float, metavar="MINUTES", help="how long workers under torchrun wait for one another (30)"
    )

    evaluate = command("evaluate", run_evaluate, "Measure quality.")
    from ..evaluation.commands import add_metrics

    add_metrics(evaluate)


def run_train(options: argparse.Namespace) -> Answer:
    from .. import training
    from ..training.distributed import speaks

    config = training.read_recipe(options.recipe)
    with bar("Training") as progress:
        training.train(
            config,
            options.run_dir,
            resume=options.resume,
            patience_minutes=options.patience,
            progress=progress,
        )
    lines = [f"Trained in {options.run_dir}."] if speaks() else []
    return {"run": str(options.run_dir), "recipe": asdict(config), "lines": lines}


def run_evaluate(options: argparse.Namespace) -> Answer:
    figures = options.measure(options)
    lines = [
        f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}" for name, value in figures.items()
    ]
    return {"metric": options.metric, **figures, "lines": lines}
