"""Words that the tables lack, mapped to the nearest that they have by a CLIP text encoder.

CLIP (Radford et al. 2021) puts sentences of like meaning near each other.  Each unknown word is embedded in the
sentence "a photo of a WORD garment" and compared with every colour, pattern, material and mood word in the same
sentence; above a threshold the nearest one is read in its place.  Nothing is loaded unless a model folder is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadPackage
from . import lexicon, shades
from .reading import Reading, read

if TYPE_CHECKING:
    import torch

F32 = NDArray[np.float32]

THRESHOLD = 0.9
"""Cosine similarity of two such sentences from which their words are taken for one another."""

_SENTENCE = "a photo of a {} garment"
_BATCH = 64


class SimilarWords:
    """Called like :func:`.reading.read`; ``folder`` holds a CLIP model in transformers' format (safetensors).

    Load once, call many: the tables' words are embedded at the first unknown word.  Raises :class:`BadPackage` when
    the folder is not a CLIP.
    """

    def __init__(self, folder: Path | str, threshold: float = THRESHOLD) -> None:
        from transformers import AutoTokenizer, CLIPModel

        try:
            options: dict[str, Any] = {"local_files_only": True}
            self._model: Any = CLIPModel.from_pretrained(str(folder), use_safetensors=True, **options)
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), **options)
        except (OSError, ValueError, RuntimeError) as error:
            raise BadPackage(f"{folder} is not a CLIP model that can be loaded: {error}") from error
        self.threshold = threshold
        self._known: tuple[Sequence[str], F32] | None = None

    def __call__(self, prompt: str) -> Reading:
        """The prompt read with each unknown word replaced by the known one nearest to it, where one is near enough."""
        reading = read(prompt)
        found = [(word, self.nearest(word)) for word in reading.unknown]
        mapped = [(word, known) for word, known in found if known is not None]
        if not mapped:
            return reading
        words = f" {' '.join(known for _, known in mapped)}"
        more = read(words)
        return replace(
            reading,
            colours=reading.colours or more.colours,
            pattern=reading.pattern or more.pattern,
            pattern_words=reading.pattern_words or more.pattern_words,
            materials=(*reading.materials, *more.materials),
            moods=(*reading.moods, *more.moods),
            unknown=tuple(word for word, known in found if known is None),
            corrected=(*reading.corrected, *mapped),
        )

    def nearest(self, word: str) -> str | None:
        """The known word most like ``word``; None where none reaches the threshold."""
        if self._known is None:
            words = known_words()
            self._known = words, self.embed(words)
        known, embedded = self._known
        likeness = embedded @ self.embed([word])[0]
        best = int(likeness.argmax())
        return known[best] if float(likeness[best]) >= self.threshold else None

    def embed(self, words: Sequence[str]) -> F32:
        """Unit vectors (n, d) of the words in their sentence."""
        import torch

        parts = []
        with torch.inference_mode():
            for start in range(0, len(words), _BATCH):
                sentences = [_SENTENCE.format(word) for word in words[start : start + _BATCH]]
                tokens = self._tokenizer(sentences, padding=True, truncation=True, return_tensors="pt")
                parts.append(_pooled(self._model.get_text_features(**tokens)))
        features = torch.cat(parts).float()
        return np.asarray((features / features.norm(dim=1, keepdim=True)).numpy(), np.float32)


def known_words() -> list[str]:
    """Every colour, pattern, material and mood word of the tables."""
    groups = [
        *(tuple(words) for words in shades.SHADES.values()),
        *lexicon.PATTERNS.values(),
        *(material.words for material in lexicon.MATERIALS.values()),
        *(mood.words for mood in lexicon.MOODS.values()),
    ]
    return list(dict.fromkeys(word for words in groups for word in words))


def _pooled(output: Any) -> torch.Tensor:
    """The projected features: newer releases of transformers wrap them in an output object."""
    pooled: torch.Tensor = getattr(output, "pooler_output", output)
    return pooled
