"""Models from a hub: chosen files of one commit, downloaded in resumable pieces and compared with the hub's own sums.

Nothing here is needed to run Toile.  :data:`KNOWN` lists models that are known to work, to be offered, no more.
``HF_ENDPOINT`` names another hub, ``HF_TOKEN`` opens gated models, as everywhere.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, BadPackage, Stopped
from .archive import Progress
from .choosing import choose
from .contents import read_json
from .files import sha256_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ShouldStop = Callable[[], bool]

HUB_ID = re.compile(
    r"(?P<owner>[A-Za-z0-9][\w.-]{0,95})/(?P<name>[A-Za-z0-9][\w.-]{0,95})(@(?P<revision>[\w./-]{1,100}))?"
)
_SECONDS = 30.0


@dataclass(frozen=True)
class Offer:
    """A published model that is known to work; ``gigabytes`` are what is downloaded."""

    hub_id: str
    capability: str
    gigabytes: float
    licence: str
    advice: str


KNOWN = (
    Offer(
        "CIDAS/clipseg-rd64-refined",
        "text-mask",
        0.6,
        "Apache-2.0",
        "Finds what any words name; runs well without a GPU.",
    ),
    Offer(
        "sd2-community/stable-diffusion-2-inpainting",
        "restyle",
        2.6,
        "CreativeML Open RAIL++-M",
        "512 pixels, obeys colours and materials; a GPU with 6 GB. The original at stabilityai was withdrawn.",
    ),
    Offer(
        "stable-diffusion-v1-5/stable-diffusion-inpainting",
        "restyle",
        2.8,
        "CreativeML Open RAIL-M",
        "512 pixels, the least hungry, and most LoRAs are made for it; a GPU with 4 GB. Brings a safety checker.",
    ),
    Offer(
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
        "restyle",
        7.0,
        "CreativeML Open RAIL++-M",
        "1024 pixels, the finest cloth and the slowest; a GPU with 12 GB.",
    ),
)
MOVED = {
    "stabilityai/stable-diffusion-2-inpainting": "sd2-community/stable-diffusion-2-inpainting",
    "runwayml/stable-diffusion-inpainting": "stable-diffusion-v1-5/stable-diffusion-inpainting",
}
"""Withdrawn from the hub; where the same weights are now."""


@dataclass(frozen=True)
class Published:
    """A commit of a hub model, its files with their sizes and, for large ones, their SHA-256."""

    hub_id: str
    revision: str
    sizes: dict[str, int]
    sha256: dict[str, str]


def download(
    hub_id: str,
    revision: str | None,
    into: Path,
    downloads: Path,
    *,
    allow_pickle: bool = False,
    weights: bool = True,
    endpoint: str | None = None,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Published:
    """Download a model to ``into``; ``weights`` False takes its configuration and tokenizer only.

    What is under way lies in ``downloads`` and is gone on with when it is asked for again; it goes once the model is
    whole.  Raises :class:`BadInput` when the hub cannot be reached or has no such model, :class:`BadPackage` when what
    it gave is not what it promised, :class:`Stopped`.
    """
    endpoint = endpoint or os.environ.get("HF_ENDPOINT") or None
    with _told(hub_id, revision):
        from huggingface_hub import HfApi

        model = _look_up(HfApi(endpoint=endpoint), hub_id, revision)
        work = downloads / f"{hub_id.replace('/', '--')}--{model.revision}"
        fetch = _Fetch(model, work, endpoint, progress, should_stop)
        components = fetch.components() if "model_index.json" in model.sizes else None
        taken = choose(model.sizes, components, allow_pickle=allow_pickle)
        if not weights:
            taken = {name: new for name, new in taken.items() if new.endswith((".json", ".txt", ".model", ".md"))}
        fetch.all(list(taken))
    for name, new in taken.items():
        (into / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(work / name, into / new)
    shutil.rmtree(work, ignore_errors=True)
    return model


def _look_up(api: HfApi, hub_id: str, revision: str | None) -> Published:
    info = api.model_info(hub_id, revision=revision, files_metadata=True, timeout=_SECONDS)
    if info.sha is None or not re.fullmatch(r"[0-9a-f]{40}", info.sha):
        raise BadInput(f"The hub does not say which commit of {hub_id} it offers.")
    siblings = info.siblings or []
    return Published(
        hub_id,
        info.sha,
        {file.rfilename: file.size or 0 for file in siblings},
        {file.rfilename: file.lfs.sha256 for file in siblings if file.lfs is not None},
    )


class _Fetch:
    """The download of chosen files of one commit."""

    def __init__(
        self,
        model: Published,
        work: Path,
        endpoint: str | None,
        progress: Progress | None,
        should_stop: ShouldStop | None,
    ) -> None:
        self.model, self.work, self.endpoint = model, work, endpoint
        self.progress, self.should_stop = progress, should_stop
        self.done = 0
        self.total = 0
        """Bytes; 0 while the files are not chosen yet."""
        work.mkdir(parents=True, exist_ok=True)

    def components(self) -> set[str]:
        """The folders that the model's index names."""
        self.one("model_index.json")
        index = read_json(self.work / "model_index.json")
        return {key for key, value in index.items() if isinstance(value, list) and value[:1] not in ([None], [])}

    def all(self, names: list[str]) -> None:
        if not names:
            raise BadInput(f"{self.model.hub_id} holds no model that Toile can use.")
        missing = sum(self.model.sizes[name] for name in names if not (self.work / name).is_file())
        free = shutil.disk_usage(self.work).free
        if free < missing:
            raise BadInput(f"{self.model.hub_id} needs {missing / 1e9:.1f} GB of disk; {free / 1e9:.1f} GB are free.")
        self.total = max(sum(self.model.sizes[name] for name in names), 1)
        for name in names:
            before = self.done
            self.one(name)
            self.done = before + self.model.sizes[name]
            self.tell(name)

    def one(self, name: str) -> None:
        """One file, gone on with where an earlier try broke off; the hub's client would begin it again."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented there

        self.tell(name)
        file, size = self.work / name, self.model.sizes[name]
        if file.is_file():
            return
        part = file.with_name(f"{file.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        arrived = part.stat().st_size if part.is_file() and name in self.model.sha256 else 0
        with part.open("ab" if 0 < arrived <= size else "wb") as stream:
            http_get(
                hf_hub_url(self.model.hub_id, name, revision=self.model.revision, endpoint=self.endpoint),
                stream,
                resume_size=stream.tell(),
                headers=build_hf_headers(),
                expected_size=size,
                tqdm_class=_bar(lambda count: self.add(name, count)),
            )
        if self.model.sha256.get(name, "") not in ("", sha256_of(part)):
            part.unlink()
            raise BadPackage(f"{name} of {self.model.hub_id} did not arrive whole; ask again to fetch it anew.")
        part.replace(file)

    def add(self, name: str, count: float) -> None:
        self.done += int(count)
        self.tell(name)

    def tell(self, name: str) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Stopped("Stopped as asked; what was downloaded is kept.")
        if self.progress is not None and self.total:
            self.progress(min(self.done / self.total, 1.0), f"Downloading {name}")


def _bar(add: Callable[[float], None]) -> type[Any]:
    """A progress bar for the hub's library that draws nothing and hands on the bytes."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **values: Any) -> None:
            super().__init__(*args, **{**values, "disable": True})
            add(values.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            add(n or 0)

    return Bar


@contextmanager
def _told(hub_id: str, revision: str | None) -> Iterator[None]:
    """Every way in which a hub fails, in a sentence."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise BadInput(
            f"{hub_id} is gated: accept its terms on its page at the hub, and set HF_TOKEN to a token of that account."
        ) from error
    except (errors.RepositoryNotFoundError, errors.DisabledRepoError) as error:
        moved = f" The same weights are at {MOVED[hub_id]}." if hub_id in MOVED else ""
        raise BadInput(f"The hub has no model {hub_id}: it is misspelt, private or withdrawn.{moved}") from error
    except (errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise BadInput(_unreachable(error)) from error
        raise BadInput(f"{hub_id} has no revision {revision!r}.") from error
    except errors.HFValidationError as error:
        raise BadInput(f"{hub_id!r} is not a model of a hub; write owner/name.") from error
    except errors.OfflineModeIsEnabled as error:
        raise BadInput("HF_HUB_OFFLINE is set: the hub is not asked. Give a folder or an archive instead.") from error
    except (httpx2.HTTPError, ConnectionError) as error:
        raise BadInput(_unreachable(error)) from error
    except OSError as error:
        if error.errno is not None:
            raise BadInput(f"The download cannot be kept: {error.strerror}.") from error
        raise BadInput(_unreachable(error)) from error


def _unreachable(error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"The hub cannot be reached, or broke off ({reason}). What was downloaded is kept: ask again to go on."
