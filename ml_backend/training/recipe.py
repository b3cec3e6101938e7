"""Recipe files: JSON, ``{"recipe": "unet", ...}``.

``recipe`` names the module, the rest are its config's fields, ``network`` those of the network's own config.
"""

from __future__ import annotations

import dataclasses
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .before import today

RECIPES = {
    "unet": ("unet", "UNetRecipe"),
    "masks": ("masks", "MasksRecipe"),
    "dcgan": ("dcgan", "DCGANRecipe"),
    "xgan": ("xgan", "XGANRecipe"),
    "srgan": ("srgan", "SRGANRecipe"),
    "classifier": ("classifier", "ClassifierRecipe"),
    "designs": ("designs", "DesignsRecipe"),
    "captioned": ("captioned", "CaptionedRecipe"),
    "autoencoder": ("autoencoder", "AutoencoderRecipe"),
    "inpainting": ("inpainting", "InpaintingRecipe"),
    "clipseg": ("clipseg", "ClipSegRecipe"),
    "surface": ("surface", "SurfaceRecipe"),
    "dreambooth": ("dreambooth", "DreamBoothRecipe"),
    "lora": ("lora", "LoraRecipe"),
}
"""Recipe name -> (module, config dataclass)."""


def read_recipe(path: Path | str) -> Any:
    """The config dataclass that a recipe file describes.  Raises :class:`BadInput` for a file that is not one."""
    return make_recipe(read_json(path, "recipe"), str(path))


def read_json(path: Path | str, what: str) -> Any:
    """What a JSON file of people's holds.  Raises :class:`BadInput` where there is none, or where it is no JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"There is no {what} at {path}.") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not a JSON {what}: {error}.") from error


def make_recipe(data: Any, source: str = "This recipe") -> Any:
    """The config dataclass of a recipe's JSON, also of one written when its settings had other names (:mod:`.before`).

    Raises :class:`BadInput`, whose sentence begins with ``source``.
    """
    name = data.get("recipe") if isinstance(data, dict) else None
    if name not in RECIPES:
        raise BadInput(f'{source} names no known recipe; "recipe" must be one of {", ".join(RECIPES)}.')
    module_name, class_name = RECIPES[name]
    config = getattr(import_module(f".{module_name}", __package__), class_name)
    fields = {field.name: field for field in dataclasses.fields(config)}
    network: Any = fields["network"].default if "network" in fields else None
    try:
        settings = _tuples(today(data, set(fields), network))
        unknown = sorted(set(settings) - set(fields))
        if network is not None:
            own = settings.get("network", {})
            unknown += sorted(set(own) - {field.name for field in dataclasses.fields(network)})
            settings["network"] = own if unknown else dataclasses.replace(network, **own)
        if unknown:
            raise BadInput(f"{source} has unknown settings: {', '.join(unknown)}.")
        return config(**settings)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{source} is incomplete or wrong: {error}.") from error


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples that frozen configs hold."""
    if isinstance(value, dict):
        return {key: _tuples(each) for key, each in value.items()}
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value
