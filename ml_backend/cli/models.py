"""Commands about models: train, evaluate, shards."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput
from .common import Answer, Command, at_least_one, bar

if TYPE_CHECKING:
    from ..training.data.shards import Access, Opener


def add_commands(command: Command) -> None:
    train = command("train", run_train, "Train a model by its recipe.")
    train.add_argument("recipe", type=Path, metavar="RECIPE.json")
    train.add_argument("--run-dir", type=Path, required=True, metavar="DIR")
    train.add_argument("--resume", action="store_true", help="go on from the run's checkpoint, or begin if it has none")
    train.add_argument(
        "--patience", type=float, metavar="MINUTES", help="how long workers under torchrun wait for one another (30)"
    )

    train.add_argument(
        "--opener",
        action="append",
        default=[],
        metavar="SCHEME=MODULE:FUNCTION",
        help="how to read such addresses of shards, as s3=ml_backend.s3:open_object",
    )
    train.add_argument("--cache", type=Path, metavar="DIR", help="keep shards from the network here")
    train.add_argument("--cache-gb", type=float, default=100.0, metavar="GB", help="at most so much of them (100)")

    shards = command("shards", run_shards, "Pack a folder of pictures by class into shards for training.")
    shards.add_argument("folder", type=Path, metavar="FOLDER")
    shards.add_argument("out", type=Path, metavar="OUT")
    shards.add_argument(
        "--split", choices=("train", "held-out", "all"), default="train", help="which part of the pictures (train)"
    )
    shards.add_argument("--shard-mb", type=float, default=256.0, metavar="MB", help="size of a shard (256)")
    shards.add_argument("--longest", type=at_least_one, metavar="PX", help="reduce pictures with a longer side")

    evaluate = command("evaluate", run_evaluate, "Measure quality.")
    from ..evaluation.commands import add_metrics

    add_metrics(evaluate)


def run_train(options: argparse.Namespace) -> Answer:
    from .. import training
    from ..training.distributed import speaks
    from ..training.stopping import terminated

    config = training.read_recipe(options.recipe)
    with bar("Training") as progress, terminated() as should_stop:
        training.train(
            config,
            options.run_dir,
            resume=options.resume,
            patience_minutes=options.patience,
            access=_access(options),
            progress=progress,
            should_stop=should_stop,
        )
    lines = [f"Trained in {options.run_dir}."] if speaks() else []
    return {"run": str(options.run_dir), "recipe": asdict(config), "lines": lines}


def run_shards(options: argparse.Namespace) -> Answer:
    from ..training.data.shards import write_shards

    with bar("Packing") as progress:
        index = write_shards(
            options.folder,
            options.out,
            split=options.split,
            shard_bytes=round(options.shard_mb * 1000**2),
            longest=options.longest,
            progress=progress,
        )
    line = f"{index.samples} pictures in {len(index.shards)} shards in {options.out}."
    return {"out": str(options.out), "pictures": index.samples, "shards": len(index.shards), "lines": [line]}


def _access(options: argparse.Namespace) -> Access:
    from ..training.data.shards import Access

    openers = dict(_opener(text) for text in options.opener)
    return Access(openers, options.cache, round(options.cache_gb * 1000**3))


def _opener(text: str) -> tuple[str, Opener]:
    """The function that the person names; the library itself knows files and http(s) only."""
    scheme, _, dotted = text.partition("=")
    module, _, name = dotted.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise BadInput(f"There is no opener {text!r}; write SCHEME=MODULE:FUNCTION.") from error
    if not scheme or not callable(function):
        raise BadInput(f"There is no opener {text!r}; write SCHEME=MODULE:FUNCTION.")
    return scheme.lower(), function


def run_evaluate(options: argparse.Namespace) -> Answer:
    figures = options.measure(options)
    lines = [
        f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}" for name, value in figures.items()
    ]
    return {"metric": options.metric, **figures, "lines": lines}
