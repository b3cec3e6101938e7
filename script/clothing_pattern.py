"""The Clothing Pattern Dataset (Medeiros et al., ASSETS 2017): its CSV, a polite downloader and its variations.

The dataset is a list of links, since the pictures belong to others; each line of ``clothingDataset.csv`` is

    Class Name, URL, Original Width, Original Height, Crop X, Crop Y, Crop Width, Crop Height, Scales

with scales joined by ``;``.  As its README says, a downloaded picture is cropped, and for each scale shown centred in a
224x224 frame at twelve rotations in steps of 30 degrees.

``download`` fills ``folder/CLASS/NAME.SUFFIX``, the layout that :mod:`ml_backend.training.data.folder` reads too.  It
goes on where it was stopped, waits between requests to one host, and reports links that no longer lead to a picture.
From a shell ``python -m script.clothing_pattern clothingDataset.csv datasets/clothing-pattern``, from Python::

    sources = read_csv("clothingDataset.csv")
    report = download(sources, "datasets/clothing-pattern")
    for label, picture in open_swatches(sources, "datasets/clothing-pattern"): ...
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ml_backend.errors import BadInput
from ml_backend.pipelines.base import Progress, ShouldStop, check, tell

COLUMNS = (
    *("Class Name", "URL", "Original Width", "Original Height"),
    *("Crop X", "Crop Y", "Crop Width", "Crop Height", "Scales"),
)
SIDE = 224
ROTATIONS = tuple(range(0, 360, 30))
MAX_BYTES = 40_000_000
MAX_PIXELS = 80_000_000
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
USER_AGENT = "Mozilla/5.0 (compatible; toile-dataset/1.0; research download of a published list)"
DEAD_LINKS = "dead-links.jsonl"
LONGEST_WAIT = 60.0
"""Longest that a host may ask us to wait with ``Retry-After``, in seconds."""

_LABEL = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Source:
    """One line of the CSV; ``crop`` is (x, y, width, height) in pixels of the original."""

    label: str
    url: str
    width: int
    height: int
    crop: tuple[int, int, int, int]
    scales: tuple[float, ...]

    @property
    def name(self) -> str:
        """A file name of its own for every link."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class DeadLink:
    """A link that led to no picture, and why.  ``final`` links are not tried again."""

    url: str
    reason: str
    final: bool


@dataclass
class Report:
    """What a download did: pictures fetched now, pictures that were there already, links that failed."""

    fetched: int = 0
    present: int = 0
    dead: list[DeadLink] = field(default_factory=list)


def read_csv(path: Path | str) -> list[Source]:
    """All sources, in file order.  Raises :class:`BadInput` with the line number of what is wrong."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise BadInput(f"{path} is not a Clothing Pattern list; its first line must be {','.join(COLUMNS)}.")
            return [_source(row, f"{path}, line {reader.line_num}") for row in reader]
    except FileNotFoundError as error:
        raise BadInput(f"There is no list at {path}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read as CSV: {error}.") from error


def _source(row: dict[str, str], where: str) -> Source:
    label = (row["Class Name"] or "").strip().lower()
    url = (row["URL"] or "").strip()
    if not _LABEL.fullmatch(label):
        raise BadInput(f"{where}: {label!r} cannot be a class name.")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise BadInput(f"{where}: {url!r} is not an http or https link.")
    try:
        width, height, x, y, crop_width, crop_height = (int(row[name]) for name in COLUMNS[2:8])
        scales = tuple(float(part) for part in row["Scales"].split(";") if part.strip())
    except (TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{where}: sizes and scales must be numbers.") from error
    inside = 0 <= x < x + crop_width <= width and 0 <= y < y + crop_height <= height
    if not inside or not scales or not all(0 < scale < 100 for scale in scales):
        raise BadInput(f"{where}: the crop must lie inside the picture and scales must be between 0 and 100.")
    return Source(label, url, width, height, (x, y, crop_width, crop_height), scales)


def find(source: Source, folder: Path) -> Path | None:
    """The downloaded file of a source, if it is there."""
    candidates = (folder / source.label / f"{source.name}{suffix}" for suffix in SUFFIXES.values())
    return next((path for path in candidates if path.is_file()), None)


def download(
    sources: Sequence[Source],
    folder: Path | str,
    *,
    pause: float = 1.0,
    tries: int = 3,
    timeout: float = 20.0,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Fetch what is missing, one request at a time, at least ``pause`` seconds apart on each host.

    A picture appears under its name only when it is whole.  Links that are gone for good (404, 410, not a picture) are
    noted in ``folder/dead-links.jsonl`` and skipped next time; others are tried ``tries`` times and again next time.
    Raises ``Stopped`` when asked to; what was fetched stays.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    given_up = _read_dead(folder)
    fetcher = _Fetcher(pause, tries, timeout, sleep, should_stop)
    report = Report()
    for done, source in enumerate(in_turns(sources)):
        check(should_stop)
        if find(source, folder) is not None:
            report.present += 1
        elif source.url in given_up:
            report.dead.append(given_up[source.url])
        else:
            dead = fetcher.fetch(source, folder)
            if dead is None:
                report.fetched += 1
            else:
                report.dead.append(dead)
                if dead.final:
                    _note_dead(folder, dead)
        tell(progress, (done + 1) / len(sources), f"{report.fetched} fetched, {len(report.dead)} dead")
    return report


def in_turns(sources: Sequence[Source]) -> list[Source]:
    """The same sources, taking one of each host in turn, so that waiting for one host is rarely needed."""
    seen: dict[str, int] = defaultdict(int)
    turns = []
    for source in sources:
        host = _host(source.url)
        turns.append(seen[host])
        seen[host] += 1
    return [source for _, source in sorted(zip(turns, sources, strict=True), key=lambda pair: pair[0])]


def variations(source: Source, image: Image.Image) -> Iterator[NDArray[np.uint8]]:
    """The 224x224x3 pictures of a source: every scale at twelve rotations, the crop centred in the frame.

    A file of another size than the list says (hosts shrink pictures) is cropped in proportion.  What the rotated crop
    does not cover is filled by mirroring it at its edges.
    """
    ratio_x, ratio_y = image.width / source.width, image.height / source.height
    x, y, width, height = source.crop
    box = (x * ratio_x, y * ratio_y, (x + width) * ratio_x, (y + height) * ratio_y)
    crop = image.convert("RGB").crop(tuple(round(edge) for edge in box))  # type: ignore[arg-type]
    for scale in source.scales:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        scaled = np.asarray(crop.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))
        canvas = Image.fromarray(_mirrored(scaled, int(SIDE * 2**0.5) + 2))
        for angle in ROTATIONS:
            turned = canvas.rotate(angle, Image.Resampling.BICUBIC)
            edge = (turned.width - SIDE) // 2
            yield np.asarray(turned.crop((edge, edge, edge + SIDE, edge + SIDE)))


def open_swatches(sources: Sequence[Source], folder: Path | str) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """(class, 224x224x3) for every variation of every source that was downloaded and can still be read."""
    for source in sources:
        path = find(source, Path(folder))
        if path is None:
            continue
        try:
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file).convert("RGB")
        except (OSError, ValueError, SyntaxError):
            continue
        for picture in variations(source, image):
            yield source.label, picture


def _mirrored(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The centre of a picture in a square of ``side``, mirrored outwards where it is smaller."""
    for axis in (0, 1):
        length = picture.shape[axis]
        # positions of the square on the picture's axis, folded back and forth at both ends
        position = np.arange(side) + (length - side) // 2
        folded = position % (2 * length)
        picture = np.take(picture, np.where(folded < length, folded, 2 * length - 1 - folded), axis=axis)
    return picture


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.HTTPError(newurl, 410, "redirected away from the web", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Again(Exception):
    """The request failed in a way that may pass; ``wait`` is what the host asked for, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class _Gone(Exception):
    """The link leads to no picture and never will."""


class _Fetcher:
    def __init__(
        self, pause: float, tries: int, timeout: float, sleep: Callable[[float], None], should_stop: ShouldStop | None
    ) -> None:
        self.pause, self.tries, self.timeout, self.sleep, self.should_stop = pause, tries, timeout, sleep, should_stop
        self.opener = urllib.request.build_opener(_OnlyWeb)
        self.free_at: dict[str, float] = {}

    def fetch(self, source: Source, folder: Path) -> DeadLink | None:
        """Save the picture; a description of the failure otherwise."""
        reason = ""
        for attempt in range(self.tries):
            check(self.should_stop)
            self._wait_for(_host(source.url))
            try:
                content = self._read(source.url)
                _save(content, folder / source.label / source.name)
            except _Gone as gone:
                return DeadLink(source.url, str(gone), final=True)
            except _Again as again:
                reason = str(again)
                self._hold(_host(source.url), max(again.wait, self.pause * 2**attempt))
            else:
                return None
        return DeadLink(source.url, reason, final=False)

    def _read(self, url: str) -> bytes:
        request = urllib.request.Request(_quoted(url), headers={"User-Agent": USER_AGENT, "Accept": "image/*"})
        try:
            with self.opener.open(request, timeout=self.timeout) as response:
                content: bytes = response.read(MAX_BYTES + 1)
                expected = response.headers.get("Content-Length")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (408, 429) or error.code >= 500:
                raise _Again(f"HTTP {error.code}", _retry_after(error)) from error
            raise _Gone(f"HTTP {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            raise _Again(f"{type(error).__name__}: {error}") from error
        except ValueError as error:
            raise _Gone(f"unusable link: {error}") from error
        if len(content) > MAX_BYTES:
            raise _Gone("too large")
        if expected is not None and expected.isdigit() and len(content) < int(expected):
            raise _Again("cut off")
        return content

    def _wait_for(self, host: str) -> None:
        wait = self.free_at.get(host, 0.0) - time.monotonic()
        if wait > 0:
            self.sleep(wait)
        self._hold(host, self.pause)

    def _hold(self, host: str, seconds: float) -> None:
        self.free_at[host] = time.monotonic() + seconds


def _save(content: bytes, stem: Path) -> None:
    """Write a picture under its name only when it is known to be whole.  Raises ``_Gone`` for anything else."""
    try:
        with Image.open(BytesIO(content), formats=tuple(SUFFIXES)) as image:
            suffix = SUFFIXES[image.format or ""]
            if image.width * image.height > MAX_PIXELS:
                raise _Gone("too many pixels")
            image.load()
    except (OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError) as error:
        raise _Gone("not a picture") from error
    stem.parent.mkdir(parents=True, exist_ok=True)
    partial = stem.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(stem.with_suffix(suffix))


def _retry_after(error: urllib.error.HTTPError) -> float:
    value = error.headers.get("Retry-After", "")
    return min(float(value), LONGEST_WAIT) if value.isdigit() else 0.0


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _quoted(url: str) -> str:
    """Spaces and letters beyond ASCII as a browser would send them; what is quoted already stays."""
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]")


def _read_dead(folder: Path) -> dict[str, DeadLink]:
    path = folder / DEAD_LINKS
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {link.url: link for link in (DeadLink(**json.loads(line)) for line in lines if line.strip())}


def _note_dead(folder: Path, link: DeadLink) -> None:
    with (folder / DEAD_LINKS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(link.__dict__) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Download a list to a folder and say what came of it; a list that cannot be read ends it with a sentence."""
    parser = argparse.ArgumentParser(
        description="Fetch the pictures of a Clothing Pattern list, as far as they are there."
    )
    parser.add_argument("list", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        report = download(read_csv(options.list), options.folder)
    except BadInput as error:
        parser.error(str(error))
    print(f"{report.fetched} fetched, {report.present} were there, {len(report.dead)} links lead to no picture.")


if __name__ == "__main__":
    main()
