"""Unknown words mapped by a CLIP: the real code path with a tiny seeded model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml_backend.errors import BadPackage
from ml_backend.words.similarity import SimilarWords
from tests.ml_backend.tiny import tiny_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


def test_embeddings_are_unit_vectors_and_know_their_own_word(folder: Path) -> None:
    similar = SimilarWords(folder)
    vectors = similar.embed(["red", "striped", "silk"])
    assert vectors.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert similar.nearest("paisley") == "paisley"


def test_an_unknown_word_becomes_the_nearest_known_one_or_stays_unknown(folder: Path) -> None:
    generous, strict = SimilarWords(folder, threshold=-1.0), SimilarWords(folder, threshold=1.1)
    found = generous("a glorpy dress")
    assert found.unknown == ()
    assert found.corrected == (("glorpy", generous.nearest("glorpy")),)
    assert strict("a glorpy dress").unknown == ("glorpy",)


def test_what_is_said_exactly_counts_first(folder: Path) -> None:
    found = SimilarWords(folder, threshold=-1.0)("a red dotted glorpy dress")
    assert [colour.name for colour in found.colours] == ["red"]
    assert found.pattern == "dotted"


def test_a_folder_without_a_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPackage, match="not a CLIP"):
        SimilarWords(tmp_path)
