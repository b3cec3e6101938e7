"""CLIPSeg in two steps: one look at a photo, then an answer for every phrase.

transformers' ``CLIPSegForImageSegmentation`` looks at the photo anew for each phrase and lets no gradient into the
vision and text towers.  These two functions run its own modules and give its own logits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import CLIPSegForImageSegmentation


def look(model: CLIPSegForImageSegmentation, pixels: Tensor) -> list[Tensor]:
    """Normalised pixels (N, 3, S, S) -> the activations (N, 1 + T, C) that the decoder reads, the deepest last."""
    vision = model.clip.vision_model
    state = vision.pre_layrnorm(vision.embeddings(pixels, interpolate_pos_encoding=True))
    states = []
    for layer in vision.encoder.layers[: max(model.extract_layers) + 1]:
        state = layer(state, None)
        states.append(state)
    return [states[index] for index in model.extract_layers]


def answer(model: CLIPSegForImageSegmentation, states: list[Tensor], conditions: Tensor) -> Tensor:
    """Activations of N photos and the embeddings (N*P, D) of their phrases, photo by photo -> logits (N, P, s, s).

    Decoder layers before the one that takes the condition are the same for all phrases and run once.
    """
    decoder = model.decoder
    count, each = len(states[0]), len(conditions) // len(states[0])
    output = states[0].new_zeros(())
    asked = False
    for index, (state, layer, reduce) in enumerate(zip(states[::-1], decoder.layers, decoder.reduces, strict=True)):
        reduced = reduce(state)
        output = output + (reduced.repeat_interleave(each, dim=0) if asked else reduced)
        if index == decoder.conditional_layer:
            asked = True
            output = output.repeat_interleave(each, dim=0)
            output = decoder.film_mul(conditions)[:, None] * output + decoder.film_add(conditions)[:, None]
        output = layer(output, attention_mask=None)
    side = math.isqrt(output.shape[1] - 1)
    cells = output[:, 1:].transpose(1, 2).reshape(len(output), -1, side, side)
    upscale: nn.Module = decoder.transposed_convolution
    logits: Tensor = upscale(cells)
    return logits.reshape(count, each, *logits.shape[-2:])
