"""Small sets of pictures and settings for the recipes that fine-tune."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ml_backend.training.data.captioned_folder import Captioned, write_metadata

SIDE = 32
TINY: dict[str, Any] = {
    "resolution": SIDE,
    "batch": 2,
    "steps": 6,
    "rate": 1e-3,
    "log_every": 1,
    "save_every": 3,
    "epoch_steps": 3,
    "sample_prompts": ["a red dress", "a blue skirt"],
    "sample_steps": 2,
    "sample_guidance": 2.0,
    "seed": 7,
    "warmup": 2,
}
"""What both recipes are tested with."""


def draw_set(folder: Path, count: int = 6, *, masks: bool = True) -> Path:
    """Squares of a colour on grey, each with its words and perhaps its mask."""
    rng = np.random.default_rng(3)
    made = []
    for number in range(count):
        name = ("red", "blue", "green")[number % 3]
        left, top = (int(value) for value in rng.integers(4, 14, 2))
        picture = Image.fromarray(rng.integers(90, 130, (44, 40, 3), np.uint8))
        mask = Image.new("L", picture.size, 0)
        for image, colour in ((picture, name), (mask, 255)):
            ImageDraw.Draw(image).rectangle((left, top, left + 18, top + 20), fill=colour)
        for kind, image in (("images", picture), ("masks", mask)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            image.save(folder / kind / f"{number}.png")
        mask_path = folder / "masks" / f"{number}.png" if masks else None
        made.append(Captioned(folder / "images" / f"{number}.png", f"a {name} dress", mask_path))
    write_metadata(folder, made)
    return folder
