"""Tiny runs of every recipe that several workers can train; also the program that ``torchrun`` starts in the tests.

``python shared_training.py FOLDER``: trains every recipe of ``FOLDER/recipes`` in turn.  The writer's runs lie in
``FOLDER/runs``; the others are told to use ``FOLDER/elsewhere``, which nobody may ever make.  Worker 1 kills itself
once, in the middle of the first recipe.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.training import RECIPES, distributed, read_recipe, srgan
from ml_backend.training.data import bank
from ml_backend.training.run import Run

KILLED_AT = 5
"""Steps that the first recipe has begun when worker 1 goes; checkpoints come every third."""


def make_it_small() -> None:
    """Few palettes, an untrained classifier as content features, one thread, full precision everywhere.

    In half precision a sum in another order is another number, and equality would have no meaning.
    """
    torch.set_num_threads(1)
    torch.cpu._is_avx512_bf16_supported = lambda: False
    bank.PALETTES = 8
    torch.manual_seed(0)
    classifier = PatternClassifier(ClassifierConfig(maps=(4, 8))).eval().requires_grad_(False)
    srgan.content_features = lambda vgg, device: classifier.features


def train(config: Any, run: Run, dies: bool = False) -> None:
    """Run the recipe; ``dies`` kills this process without a word after :data:`KILLED_AT` steps."""
    begun = 0

    def should_stop() -> bool:
        nonlocal begun
        begun += 1
        if dies and begun == KILLED_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    import_module(f"ml_backend.training.{RECIPES[config.recipe][0]}").train(config, run, should_stop=should_stop)


def main(folder: Path) -> None:
    make_it_small()
    with distributed.join(patience_minutes=1) as workers:
        runs = folder / ("runs" if workers.is_writer else "elsewhere")
        for number, path in enumerate(sorted((folder / "recipes").glob("*.json"))):
            config = read_recipe(path)
            dies = number == 0 and not distributed.is_restart() and workers.rank == 1
            train(config, Run(runs / path.stem, config, resume=True, workers=workers), dies)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
