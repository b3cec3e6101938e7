"""What all commands share: their answer, how a command is declared, progress, packages, kinds of arguments."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import images
from ..errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from ..pipelines.base import Progress

    F32 = NDArray[np.float32]

Answer = dict[str, Any]
"""What a command prints: as JSON with ``--json``, else its ``lines``."""

Run = Callable[[argparse.Namespace], Answer]
Command = Callable[[str, Run, str], argparse.ArgumentParser]
"""Adds a command: its name, what runs it, a summary in one sentence."""


def commands_of(parser: argparse.ArgumentParser) -> Command:
    """The function that adds commands to ``parser``, each with ``--json`` and ``--device``."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Run, summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        sub.add_argument("--json", action="store_true", help="print one JSON document")
        sub.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
        return sub

    return command


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Progress]:
    """A progress bar on standard error, silent when that is not a terminal."""
    from tqdm import tqdm

    form = "{desc}: {percentage:3.0f}%|{bar}| {postfix}" if total is None else None
    with tqdm(total=total or 1.0, desc=what, file=sys.stderr, disable=None, leave=False, bar_format=form) as drawn:

        def show(fraction: float, stage: str) -> None:
            drawn.set_postfix_str(stage)
            drawn.update(fraction * drawn.total - drawn.n)

        yield show


def stems_of(photos: Sequence[Path]) -> list[str]:
    """What the results of these photos are called.  Raises :class:`BadInput` where two would have one name."""
    stems = [photo.stem for photo in photos]
    if len(set(stems)) < len(stems):
        raise BadInput("Two of the photos have the same name; their masks would overwrite each other.")
    return stems


def open_mask(path: Path, photo: Image) -> F32:
    """A grey picture as a mask (H, W) in 0..1 of ``photo``.  Raises :class:`BadInput` where their sizes differ."""
    import numpy as np

    given = images.open_picture(path, "L")
    if given.size != photo.size:
        raise BadInput(f"The mask is {given.width}x{given.height}, the photo {photo.width}x{photo.height}.")
    return np.asarray(given, np.float32) / np.float32(255)


def save_mask(mask: F32, path: Path) -> None:
    """A mask in 0..1 as a grey picture."""
    from PIL import Image

    images.save_picture(Image.fromarray((mask * 255).round().astype("uint8")), path)


def palette_of(text: str) -> tuple[str, ...]:
    """Colours written out, or those of a palette file: ``'#7a1f2b,#f3e9dc'``, ``sea.ase``; 2 to 12 of them."""
    from ..palettes import files
    from ..palettes.held import held_colours

    try:
        if Path(text).suffix.lower().removeprefix(".") not in files.WRITERS:
            return held_colours(text)
        with Path(text).open("rb") as file:
            return files.read(file.read(files.MAX_BYTES + 1)).colours
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error.strerror or error}.") from error
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
