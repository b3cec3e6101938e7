"""A small tokenizer in CLIP's format, learnt from the captions that a model will read.

Byte-level byte-pair encoding (Sennrich, Haddow and Birch 2016) as CLIP has it (Radford et al. 2021): lower case, words
end in ``</w>``, every byte has a token, so no text is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import BadInput

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
END_OF_WORD = "</w>"
FEWEST = 2 * 256 + 2
"""Every byte, every byte at the end of a word, and the two special tokens."""


def make_tokenizer(
    lines: Iterable[str], folder: Path | str, vocab_size: int = 1000, max_length: int = 77
) -> CLIPTokenizer:
    """Learn merges from ``lines`` and save the tokenizer in ``folder``, which transformers' CLIPTokenizer loads.

    The vocabulary has at most ``vocab_size`` tokens, fewer when the lines hold no more pairs worth a merge; its last
    two are the start and the end of the text, and the end also pads.  ``max_length`` counts them.  The same lines
    always give the same tokenizer.  Raises :class:`BadInput` for sizes that leave no room.
    """
    if vocab_size < FEWEST:
        raise BadInput(f"A vocabulary needs at least {FEWEST} tokens, not {vocab_size}.")
    if max_length < 3:
        raise BadInput(f"A text needs at least 3 tokens, not {max_length}.")
    from transformers import CLIPTokenizer

    merges = _learn_merges(lines, vocab_size - FEWEST)
    vocabulary = {token: index for index, token in enumerate(_tokens(merges))}
    # The class wants pairs, though its annotation says strings.
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=cast("list[str]", merges), model_max_length=max_length)
    save_tokenizer(tokenizer, folder)
    return tokenizer


def is_tokenizer(folder: Path) -> bool:
    """Whether :func:`save_tokenizer` has finished one in ``folder``."""
    return (folder / "merges.txt").exists()


def read_tokenizer(folder: Path | str) -> CLIPTokenizer:
    """The one that :func:`save_tokenizer` left in ``folder``.  Raises :class:`BadInput` where there is none."""
    from transformers import CLIPTokenizer

    try:
        tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(Path(folder), local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{folder} holds no tokenizer.") from error
    return tokenizer


def save_tokenizer(tokenizer: CLIPTokenizer, folder: Path | str) -> None:
    """Write ``tokenizer`` as transformers does, and ``vocab.json`` and ``merges.txt``, all that older releases read."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    vocabulary = dict(sorted(model["vocab"].items(), key=lambda entry: entry[1]))
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")
    rows = "".join(f"{first} {second}\n" for first, second in model["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{rows}", encoding="utf-8")


def _learn_merges(lines: Iterable[str], most: int) -> list[tuple[str, str]]:
    """Up to ``most`` merges, the most frequent pair first, over words split the way CLIP splits them."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer
    from transformers import CLIPTokenizer

    clip = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(BPE(end_of_word_suffix=END_OF_WORD))
    learner.normalizer, learner.pre_tokenizer = clip.normalizer, clip.pre_tokenizer
    trainer = BpeTrainer(vocab_size=FEWEST + most, min_frequency=2, end_of_word_suffix=END_OF_WORD, show_progress=False)
    learner.train_from_iterator(lines, trainer)
    found = json.loads(learner.to_str())["model"]["merges"]
    return [(str(first), str(second)) for first, second in found[:most]]


def _tokens(merges: list[tuple[str, str]]) -> list[str]:
    """The vocabulary in CLIP's order: bytes, bytes that end a word, merges, start, end."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    return [
        *letters,
        *(letter + END_OF_WORD for letter in letters),
        *(first + second for first, second in merges),
        START,
        END,
    ]
