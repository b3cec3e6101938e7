"""Reading training pictures: shards from a disk and over http against a folder of files, decoded to arrays.

``folder`` is the plain way: every file opened and decoded by Pillow in one thread, in a shuffled order.  The others are
:class:`Feed`, which reads ahead and decodes in several threads, in the middle of its work.  ``work`` is the time that
cores were busy for a picture in units of the folder's.  The server is a thread of the same process, so its work is in
that figure too.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

LANES = 4
Read = Callable[[], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5, help="medians are taken over them")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    from ml_backend.training.data.shards import Access, Feed, read_index, write_shards

    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as address, contextlib.ExitStack() as stack:
        folder, shards = Path(name) / "folder", Path(name) / "shards"
        draw(folder, options.pictures, options.side)
        size = sum(path.stat().st_size for path in folder.rglob("*.jpg"))
        write_shards(folder, shards, split="all", shard_bytes=size // 8)
        cached = Access(cache=Path(name) / "cache")

        def feed(place: str, access: Access) -> Read:
            opened = Feed(read_index(place, access), access, seed=0, lanes=LANES, window=16)
            return functools.partial(read_on, stack.enter_context(opened), itertools.count(), options.pictures)

        contenders: dict[str, Read] = {
            "folder": lambda: read_folder(folder),
            "shards": feed(str(shards), Access()),
            "shards over http": feed(f"{address}/shards", Access()),
            "shards, cached": feed(f"{address}/shards", cached),
        }
        for read in contenders.values():
            read()  # buffers fill, the cache too
        seconds, work = measure(contenders, options.rounds)
    return [row(name, seconds, work, options, size) for name in contenders]


def measure(contenders: dict[str, Read], rounds: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds a picture by the clock, and those that cores were busy for it."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    work: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, read in contenders.items():
            start, busy = time.perf_counter(), time.process_time()
            count = read()
            seconds[name].append((time.perf_counter() - start) / count)
            work[name].append((time.process_time() - busy) / count)
    return seconds, work


def row(
    name: str, seconds: dict[str, list[float]], work: dict[str, list[float]], options: argparse.Namespace, size: int
) -> dict[str, Any]:
    def ratio(figures: dict[str, list[float]]) -> float:
        return statistics.median(mine / plain for mine, plain in zip(figures[name], figures["folder"], strict=True))

    per_second = 1 / statistics.median(seconds[name])
    return {
        "run": name,
        "pictures": f"{options.pictures} x {options.side} px",
        "pictures/s": f"{per_second:.1f}",
        "MB/s": f"{per_second * size / options.pictures / 1e6:.1f}",
        "against folder": f"{1 / ratio(seconds):.2f}x",
        "work": f"{ratio(work):.2f}",
    }


def draw(folder: Path, count: int, side: int) -> None:
    """Smooth noise with a weave: about as many bytes as a photo of cloth."""
    (folder / "plain").mkdir(parents=True)
    rng = np.random.default_rng(0)
    weave = 12 * (np.indices((side, side)).sum(axis=0) % 4 < 2)[..., None]
    for number in range(count):
        coarse = Image.fromarray(rng.integers(40, 200, (side // 8, side // 8, 3), np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.int16)
        pixels = (smooth + weave + rng.integers(-8, 9, (side, side, 1))).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "plain" / f"{number:04d}x.jpg", quality=92)


def read_folder(folder: Path) -> int:
    from ml_backend.training.data.folder import list_images, read_rgb

    images = list_images(folder)
    for place in np.random.default_rng(0).permutation(len(images)):
        read_rgb(images[place].path)
    return len(images)


def read_on(feed: Any, steps: Iterator[int], count: int) -> int:
    """The next ``count`` pictures of a feed."""
    return sum(len(feed(next(steps))) for _ in range(count // LANES))


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
