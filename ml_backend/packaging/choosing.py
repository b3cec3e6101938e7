"""Which files of a published model are taken, and under which names.

A repository often holds the same weights several times: half and full precision, safetensors and pickles, a single-file
checkpoint beside the folders.  One set is taken: safetensors, half precision where it is offered, in the folders that
``model_index.json`` names.  Programs, pictures and other formats are left behind.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from ..errors import BadPackage
from .contents import LORA_FILE
from .files import LICENCE_NAMES, is_model_file, is_pickle, is_safe_path

PICKLE_REFUSED = (
    "{name} is a pickle, which can run any program when it is opened. "
    "Look for the model as safetensors; if you trust whoever made it, allow it with --allow-pickle."
)

_VARIANT = re.compile(
    r"^(?P<stem>[A-Za-z0-9_]+)\.(?P<variant>[a-z][a-z0-9_]*?)(?P<shard>-\d{5}-of-\d{5})?\.(safetensors|bin)$"
)
_LATE_VARIANT = re.compile(r"^[A-Za-z0-9_]+-\d{5}-of-\d{5}\.(?P<variant>[a-z][a-z0-9_]*)\.(safetensors|bin)$")
_INDEX = re.compile(r"^(?P<stem>[A-Za-z0-9_]+\.(safetensors|bin)\.index)(\.(?P<variant>[a-z][a-z0-9_]*))?\.json$")


def choose(
    names: Iterable[str], components: Collection[str] | None = None, *, allow_pickle: bool = False
) -> dict[str, str]:
    """The files to take, as {name in the repository: name in the package}.

    ``components`` are the folders that ``model_index.json`` names; None for a repository without one, of which only the
    files at the root count.  Raises :class:`BadPackage` when weights come as pickles only and those are not allowed.
    """
    usable = [name for name in names if is_safe_path(name)]
    if components is None:
        return _of_folder("", usable, allow_pickle) if "config.json" in usable else _lora(usable, allow_pickle)
    taken = {name: name for name in usable if "/" not in name and _is_paper(name)}
    for component in sorted(components):
        taken |= _of_folder(f"{component}/", usable, allow_pickle)
    return taken


def _is_paper(name: str) -> bool:
    """Files at the root of a pipeline that are kept: its index, card and licence."""
    stem = PurePosixPath(name).stem.lower()
    return name in ("model_index.json", "README.md") or (is_model_file(name) and stem.split("-")[0] in LICENCE_NAMES)


def _of_folder(prefix: str, names: Iterable[str], allow_pickle: bool) -> dict[str, str]:
    """The files of one folder, its sub-folders left out: all texts, and one set of weights."""
    inside = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    inside = [name for name in inside if "/" not in name]
    tensors = [name for name in inside if name.endswith(".safetensors")]
    pickles = [name for name in inside if is_pickle(name) and not name.startswith(("training_args", "optimizer"))]
    indexes = [name for name in inside if _INDEX.match(name)]
    if not tensors and pickles and not allow_pickle:
        raise BadPackage(PICKLE_REFUSED.format(name=prefix + pickles[0]))
    weights, kind = (tensors, "safetensors") if tensors else (pickles, "bin")
    half = any(_variant(name) == "fp16" for name in weights)
    wanted = [name for name in weights if _variant(name) == ("fp16" if half else None)]
    wanted += [name for name in indexes if f".{kind}.index" in name and _variant(name) == ("fp16" if half else None)]
    texts = [
        name for name in inside if is_model_file(name) and not name.endswith(".safetensors") and name not in indexes
    ]
    return {prefix + name: prefix + _plain(name) for name in [*texts, *wanted]}


def _variant(name: str) -> str | None:
    """``fp16`` of ``model.fp16.safetensors``; None for the plain file."""
    match = _INDEX.match(name) or _VARIANT.match(name) or _LATE_VARIANT.match(name)
    return match["variant"] if match else None


def _plain(name: str) -> str:
    """Without the variant, as loaders look for it; shards keep theirs, for their index names them."""
    index = _INDEX.match(name)
    if index:
        return f"{index['stem']}.json"
    match = _VARIANT.match(name)
    if match is None or match["shard"]:
        return name
    return f"{match['stem']}{PurePosixPath(name).suffix}"


def _lora(names: list[str], allow_pickle: bool) -> dict[str, str]:
    """A repository of one LoRA: its only weights get the name that loaders look for."""
    papers = {name: name for name in names if "/" not in name and _is_paper(name)}
    tensors = [name for name in names if "/" not in name and name.endswith(".safetensors")]
    pickles = [name for name in names if "/" not in name and is_pickle(name)]
    if not tensors and pickles and not allow_pickle:
        raise BadPackage(PICKLE_REFUSED.format(name=pickles[0]))
    weights = [LORA_FILE] if LORA_FILE in tensors else tensors or pickles
    if len(weights) > 1:
        raise BadPackage(f"There are {len(weights)} weights side by side; download the one you want and give its file.")
    return papers | {name: LORA_FILE if name in tensors else f"{PurePosixPath(LORA_FILE).stem}.bin" for name in weights}
