"""CLIP score (Hessel et al., "CLIPScore", EMNLP 2021): how well pictures agree with their words, in the eyes of a CLIP.

100 times the cosine between a picture and its words, at least 0, as most tools print it.  No CLIP ships with the
project: a folder in transformers' format is given, or lies in the hub's cache on this machine; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from ..errors import BadInput, BadPackage

CACHED = ("openai/clip-vit-base-patch32", "openai/clip-vit-base-patch16", "openai/clip-vit-large-patch14")
"""What is looked for in the hub's cache, in this order."""


class ClipScore:
    """``name`` says which CLIP; raises :class:`BadPackage` where ``place`` holds none."""

    def __init__(self, place: str) -> None:
        from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel

        options: dict[str, Any] = {"local_files_only": True}
        try:
            loaded: Any = CLIPModel.from_pretrained(place, use_safetensors=True, **options)
            self._model = loaded.eval()
            self._tokenizer: Any = AutoTokenizer.from_pretrained(place, **options)
            self._prepare: Any = CLIPImageProcessor.from_pretrained(place, **options)
        except (OSError, ValueError, RuntimeError) as error:
            raise BadPackage(f"{place} is not a CLIP model that can be loaded.") from error
        self.name = f"clip:{Path(place).name}"

    @torch.inference_mode()
    def __call__(self, pairs: Iterable[tuple[Image.Image, str]]) -> list[float]:
        """0..100 for each picture with its words."""
        scores = []
        for picture, words in pairs:
            pixels = self._prepare(images=picture.convert("RGB"), return_tensors="pt")
            tokens = self._tokenizer([words], truncation=True, return_tensors="pt")
            seen = _features(self._model.get_image_features(**pixels))
            said = _features(self._model.get_text_features(**tokens))
            scores.append(max(0.0, 100 * float(torch.cosine_similarity(seen, said)[0])))
        return scores


def find_clip(folder: Path | None) -> str:
    """The folder that is given, or a CLIP of the hub's cache.  Raises :class:`BadInput` where there is none."""
    if folder is not None:
        return str(folder)
    from huggingface_hub import try_to_load_from_cache

    for name in CACHED:
        found = try_to_load_from_cache(name, "config.json")
        if isinstance(found, str) and list(Path(found).parent.glob("*.safetensors")):
            return str(Path(found).parent)
    raise BadInput(
        "There is no CLIP here: name its folder with --clip, or have one of these in the hub's cache: "
        f"{', '.join(CACHED)}."
    )


def _features(output: Any) -> torch.Tensor:
    """Newer releases of transformers wrap them in an output object."""
    features: torch.Tensor = getattr(output, "pooler_output", output)
    return features.float()
