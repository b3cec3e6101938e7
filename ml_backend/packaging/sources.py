"""Where a model can come from, and how each becomes a package.

A source is a starter's name, a hub id ``owner/name[@revision]``, or a path: a package, a diffusers or transformers
folder, a ``model.tar.gz``, a single-file ``.safetensors`` (a LoRA, or a Stable Diffusion checkpoint).  Weights are
safetensors; a pickle is refused unless it is allowed, and then read with ``weights_only`` and stored as safetensors.
Code that a model brings is never run (``trust_remote_code`` is never given).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInput, BadPackage
from . import hub
from .archive import Progress, unpack
from .choosing import PICKLE_REFUSED, choose
from .contents import LORA_FILE, contents_of, is_lora, read_json
from .files import MANIFEST, MAX_FILES, is_pickle
from .header import tensors_of
from .hub import ShouldStop
from .licence import licence_of
from .package import Package, save_folder_manifest
from .starter import WEIGHTS_DIR, starter

ARCHIVES = (".tar.gz", ".tgz", ".tar")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Source:
    """A parsed source; ``kind`` is starter, hub, folder, archive or file, ``name`` what the package will be called."""

    kind: str
    name: str
    hub_id: str = ""
    revision: str | None = None
    path: Path = Path()

    @classmethod
    def parse(cls, text: str) -> Source:
        """A path that exists comes first, then a starter's name, then a hub id.  Raises :class:`BadInput`."""
        text = text.strip()
        path = Path(text).expanduser()
        if text and path.exists():
            return cls._of_path(path)
        if re.fullmatch(r"[a-z0-9-]+", text) and (WEIGHTS_DIR / text).is_dir():
            return cls("starter", text)
        match = hub.HUB_ID.fullmatch(text)
        if match is None or text.startswith(("./", "../", "/", "~")) or text.endswith((".safetensors", *ARCHIVES)):
            raise BadInput(f"{text!r} is neither a file or folder here, nor a starter, nor a hub id like owner/name.")
        return cls("hub", match["name"], f"{match['owner']}/{match['name']}", match["revision"])

    @classmethod
    def _of_path(cls, path: Path) -> Source:
        if path.is_dir():
            return cls("folder", _plain_name(path.resolve().name), path=path)
        for ending in ARCHIVES:
            if path.name.lower().endswith(ending):
                return cls("archive", _plain_name(path.name[: -len(ending)]), path=path)
        if path.suffix.lower() == ".safetensors" or is_pickle(path.name):
            return cls("file", _plain_name(path.stem), path=path)
        raise BadInput(f"{path.name} is no model: give a folder, a model.tar.gz or a .safetensors file.")


def _plain_name(text: str) -> str:
    """Letters, digits, dots, dashes and underscores, as LoRAs are named in requests."""
    return _NOT_IN_NAMES.sub("-", text).strip("-._")[:80] or "model"


def fetch(
    source: Source,
    into: Path,
    *,
    downloads: Path,
    allow_pickle: bool = False,
    config: str | None = None,
    endpoint: str | None = None,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Package:
    """Make a verified package of ``source`` in the empty folder ``into``; a starter stays where it is.

    ``downloads`` keeps what a broken download has already brought.  ``config`` is the diffusers folder, or its hub id,
    whose configuration a single-file checkpoint goes with; None takes that of its family from the hub.  Raises
    :class:`BadInput`, :class:`BadPackage` or :class:`Stopped`; ``into`` is then incomplete and to be thrown away.
    """
    if source.kind == "starter":
        return starter(source.name)
    into.mkdir(parents=True, exist_ok=True)
    origin: dict[str, Any] = {"file": source.path.name}
    if source.kind == "hub":
        published = hub.download(
            source.hub_id,
            source.revision,
            into,
            downloads,
            allow_pickle=allow_pickle,
            endpoint=endpoint,
            progress=progress,
            should_stop=should_stop,
        )
        origin = {"hub_id": published.hub_id, "revision": published.revision}
    elif source.kind == "file":
        _file(source.path, into, downloads, allow_pickle, config, endpoint)
    else:
        with tempfile.TemporaryDirectory(dir=into.parent) as unpacked:
            folder = source.path
            if source.kind == "archive":
                folder = Path(unpacked)
                unpack(source.path, folder, allow_pickle=allow_pickle, progress=progress)
            folder = _root(folder)
            if (folder / MANIFEST).is_file():
                return _copied(Package.load(folder), into)
            _take(folder, into, allow_pickle, should_move=source.kind == "archive")
    return _packed(into, source.name, origin)


def _root(folder: Path) -> Path:
    """The folder itself, or the only one in it: archives are often made with a leading folder."""
    inside = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink() else folder


def _copied(package: Package, into: Path) -> Package:
    """A package that is one already: the same files, verified again where they arrive."""
    names = [*(package.manifest.files or ("weights.safetensors",)), MANIFEST]
    for name in [*names, *(["README.md"] if (package.path / "README.md").is_file() else [])]:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package.path / name, into / name)
    return Package.load(into)


def _take(folder: Path, into: Path, allow_pickle: bool, should_move: bool) -> None:
    """Copy the chosen files of a model folder, wherever links of a hub's cache lead."""
    index = folder / "model_index.json"
    components = set(read_json(index)) if index.is_file() else None
    names = [file.relative_to(folder).as_posix() for file in _files(folder)]
    for name, new in choose(names, components, allow_pickle=allow_pickle).items():
        (into / new).parent.mkdir(parents=True, exist_ok=True)
        file = _inside(folder, name)
        if should_move:
            file.rename(into / new)
        else:
            shutil.copyfile(file, into / new)


def _files(folder: Path) -> list[Path]:
    found = [file for pattern in ("*", "*/*") for file in sorted(folder.glob(pattern)) if file.is_file()]
    if len(found) > MAX_FILES:
        raise BadPackage(f"{folder} holds more than {MAX_FILES} files; that is no model.")
    return found


def _inside(folder: Path, name: str) -> Path:
    """The file itself: in the folder, or in the ``blobs`` that a snapshot of a hub's cache links to."""
    file, home = (folder / name).resolve(), folder.resolve()
    blobs = home.parent.parent / "blobs"
    if file.is_relative_to(home) or (home.parent.name == "snapshots" and file.parent == blobs):
        return file
    raise BadPackage(f"{name} is a link that leads out of its folder; it is not followed.")


def _file(
    file: Path, into: Path, downloads: Path, allow_pickle: bool, config: str | None, endpoint: str | None
) -> None:
    """A single file: a LoRA is kept as it is, a checkpoint becomes a diffusers folder."""
    if is_pickle(file.name):
        if not allow_pickle:
            raise BadPackage(PICKLE_REFUSED.format(name=file.name))
        from .convert import save_tensors

        with tempfile.TemporaryDirectory(dir=into.parent) as safe:
            converted = Path(safe) / f"{file.stem}.safetensors"
            save_tensors(file, converted)
            return _file(converted, into, downloads, allow_pickle, config, endpoint)
    tensors = tensors_of(file)
    if is_lora(tensors):
        shutil.copyfile(file, into / LORA_FILE)
        return None
    from .convert import family_of, from_single_file

    family = family_of(tensors)
    with tempfile.TemporaryDirectory(dir=into.parent) as borrowed:
        folder = _config(config or family.config, family.name, Path(borrowed), downloads, endpoint)
        from_single_file(file, folder, into)
    return None


def _config(wanted: str, family: str, into: Path, downloads: Path, endpoint: str | None) -> Path:
    """The folder with the configuration and tokenizer of a family: one on this machine, else from the hub."""
    source = Source.parse(wanted)
    if source.kind == "folder":
        return source.path
    if source.kind != "hub":
        raise BadInput(f"{wanted!r} is no diffusers folder to take the configuration from.")
    try:
        hub.download(source.hub_id, source.revision, into, downloads, weights=False, endpoint=endpoint)
    except BadInput as error:
        raise BadInput(
            f"A single file holds no configuration, and that of {family} ({source.hub_id}) could not be fetched. "
            f"Give a diffusers folder of that family with --config. {error}"
        ) from error
    return into


def _packed(folder: Path, name: str, origin: dict[str, Any]) -> Package:
    """Convert what pickles were allowed, look at everything, and write the manifest."""
    if any(is_pickle(file.name) for file in folder.rglob("*")):
        from .convert import pickles_to_safetensors

        pickles_to_safetensors(folder)
    found = contents_of(folder)
    return save_folder_manifest(
        folder,
        name=name,
        capability=found.capability,
        architecture=found.architecture,
        licence=licence_of(folder),
        defaults=found.defaults,
        source=origin,
        pipeline=found.pipeline,
        also=found.also,
    )
