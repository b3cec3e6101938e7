"""Words as the UNet attends to them, read as diffusers' own pipelines read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .loading import Network


@dataclass(frozen=True)
class Spoken:
    """``states`` (N, T, D) of the text encoders and, of SDXL, their ``pooled`` sum (N, P)."""

    states: Tensor
    pooled: Tensor | None = None

    @property
    def nbytes(self) -> int:
        return self.states.nbytes + (0 if self.pooled is None else self.pooled.nbytes)


def joined(parts: Sequence[Spoken], device: torch.device) -> Spoken:
    """Several as one batch, on ``device``."""
    pooled = [part.pooled.to(device) for part in parts if part.pooled is not None]
    return Spoken(torch.cat([part.states.to(device) for part in parts]), torch.cat(pooled) if pooled else None)


def token_ids(tokenizers: Sequence[Network], texts: Sequence[str]) -> list[Tensor]:
    """Token ids (N, T) of each tokenizer, padded to the full length and cut there."""
    found = []
    for tokenizer in tokenizers:
        most = tokenizer.model_max_length
        read = tokenizer(list(texts), padding="max_length", max_length=most, truncation=True, return_tensors="pt")
        found.append(read["input_ids"])
    return found


def speak(encoders: Sequence[Network], ids: Sequence[Tensor]) -> Spoken:
    """What the text encoders make of token ids: one gives its last states, two (SDXL) those before the last."""
    if len(encoders) == 1:
        return Spoken(encoders[0](ids[0])[0])
    read = [encoder(each, output_hidden_states=True) for encoder, each in zip(encoders, ids, strict=True)]
    return Spoken(torch.cat([each.hidden_states[-2] for each in read], dim=-1), read[-1][0])
