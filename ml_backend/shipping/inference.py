"""What an endpoint answers: ``model_fn`` loads a diffusers folder, ``predict_fn`` paints what a JSON body asks for.

This file travels as ``code/inference.py`` of a ``model.tar.gz``, where nothing of Toile is installed: it imports the
standard library, and torch, diffusers and Pillow when it is called.  The body:

==========================  =========  ==============================================================================
``inputs``                  (needed)   words for the picture
``input_img``, ``mask_img``            base64 of PNG, JPEG or WebP; white in the mask is repainted.  Without both a
                                       picture is made from the words alone
``num_inference_steps``     25         1 to 150
``guidance_scale``          6.5        0 to 30
``num_images_per_prompt``   2          1 to 8
``image_length``            512        side of the pictures in pixels, a multiple of 8
``width``, ``height``                  for pictures that are not square, in place of it
``negative_prompt``                    what the pictures should not show
``seed``                               of the first picture; the others have those that follow
``strength``                1.0        how much of the marked part is painted anew
==========================  =========  ==============================================================================

The answer is ``{"generated_images": [base64 of PNG, ...]}``, and ``"flagged": [true, ...]`` where the model's own
safety checker blackened some.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST_WORDS = 2000
"""Characters of the words; models read far fewer."""
MOST_SIDE = 4096
"""Longest side of a picture that is sent, in pixels."""
FORMATS = ("PNG", "JPEG", "WEBP")
NUMBERS: dict[str, tuple[float, float, float | None, bool]] = {
    "num_inference_steps": (1, 150, 25, True),
    "guidance_scale": (0, 30, 6.5, False),
    "num_images_per_prompt": (1, 8, 2, True),
    "image_length": (64, 2048, 512, True),
    "width": (64, 2048, None, True),
    "height": (64, 2048, None, True),
    "seed": (0, 2**32 - 1, None, True),
    "strength": (0.05, 1, 1.0, False),
}
"""Lowest, highest, what is taken where it is left out, and whether it is a whole number."""
KNOWN = ("inputs", "input_img", "mask_img", "negative_prompt", *NUMBERS)
FOR_INPAINTING = 9
"""Input channels of a UNet that sees the mask and the picture around it."""


class Unanswerable(ValueError):
    """What was asked cannot be done; the message is one sentence for whoever asked."""


def model_fn(model_dir: str | Path) -> Any:
    """The folder's inpainting pipeline, on the GPU where there is one."""
    import torch

    return load(model_dir, "cuda" if torch.cuda.is_available() else "cpu")


def load(model_dir: str | Path, device: str) -> Any:
    """The same on ``cpu`` or ``cuda``, there in half precision; nothing is fetched."""
    import torch
    from diffusers import AutoPipelineForInpainting

    folder = Path(model_dir)
    loader: Any = AutoPipelineForInpainting
    given = {**_without_absent_checker(folder), **_for_older_transformers(folder)}
    pipeline = loader.from_pretrained(str(folder), use_safetensors=True, local_files_only=True, **given)
    precision = torch.float32  # said in any case: some parts would keep the half precision of their files
    if device != "cpu":
        precision = torch.bfloat16 if torch.cuda.get_device_capability()[0] >= 8 else torch.float16
    pipeline = pipeline.to(device, precision)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def predict_fn(data: Any, model: Any) -> dict[str, Any]:
    """The pictures for a body that was read from JSON.  Raises :class:`Unanswerable`."""
    if not isinstance(data, Mapping):
        raise Unanswerable('Send a JSON object: {"inputs": "a blue dress", "input_img": ..., "mask_img": ...}.')
    unknown = sorted(str(name)[:40] for name in data if name not in KNOWN)
    if unknown:
        raise Unanswerable(f"Nothing is known of {', '.join(unknown[:5])}; what can be said is {', '.join(KNOWN)}.")
    numbers = {name: _number(name, data) for name in NUMBERS}
    words = {
        "prompt": _words("inputs", data, needed=True),
        "negative_prompt": _words("negative_prompt", data) or None,
    }
    size = _size(numbers)
    picture, mask = (_picture(name, data) for name in ("input_img", "mask_img"))
    if (picture is None) != (mask is None):
        raise Unanswerable("Send input_img and mask_img together, or neither of them.")
    return _paint(model, words, size, numbers, picture, mask)


def _paint(
    model: Any, words: dict[str, str | None], size: tuple[int, int], numbers: dict[str, Any], picture: Any, mask: Any
) -> dict[str, Any]:
    import torch
    from diffusers import AutoPipelineForText2Image
    from PIL import Image

    given: dict[str, Any] = {}
    pipeline = model
    if picture is None and model.unet.config.in_channels != FOR_INPAINTING:
        pipeline = AutoPipelineForText2Image.from_pipe(model)
        pipeline.set_progress_bar_config(disable=True)
    else:
        given = {
            "image": picture or Image.new("RGB", size, "grey"),
            "mask_image": mask or Image.new("L", size, "white"),
            "strength": numbers["strength"],
        }
    if int(numbers["num_inference_steps"] * numbers["strength"]) < 1:
        raise Unanswerable("Such a strength leaves nothing of so few steps; ask for more of either.")
    count, seed = numbers["num_images_per_prompt"], numbers["seed"]
    generators = None
    if seed is not None:
        generators = [torch.Generator("cpu").manual_seed((seed + number) % 2**32) for number in range(count)]
    with torch.inference_mode():
        result = pipeline(
            **words,
            **given,
            width=size[0],
            height=size[1],
            num_inference_steps=numbers["num_inference_steps"],
            guidance_scale=numbers["guidance_scale"],
            num_images_per_prompt=count,
            generator=generators,
        )
    answer: dict[str, Any] = {"generated_images": [encoded(image) for image in result.images]}
    flagged = getattr(result, "nsfw_content_detected", None)
    if flagged:
        answer["flagged"] = [bool(flag) for flag in flagged]
    return answer


def encoded(image: Any) -> str:
    """Base64 of a picture's PNG."""
    target = io.BytesIO()
    image.save(target, format="PNG")
    return base64.b64encode(target.getvalue()).decode("ascii")


def decoded(text: Any, mode: str) -> Any:
    """The picture of a base64 text, upright and in ``mode``.  Raises :class:`Unanswerable`."""
    from PIL import Image, ImageOps

    if not isinstance(text, str):
        raise Unanswerable("it is no text")
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=FORMATS)
        if max(image.size) > MOST_SIDE:
            raise Unanswerable(f"it is {image.width}x{image.height}, and a side has at most {MOST_SIDE} pixels")
        return ImageOps.exif_transpose(image).convert(mode)
    except Unanswerable:
        raise
    except (OSError, ValueError, SyntaxError, binascii.Error, Image.DecompressionBombError) as error:
        raise Unanswerable("it is no base64 of a PNG, JPEG or WebP picture") from error


def _picture(name: str, data: Mapping[str, Any]) -> Any:
    if data.get(name) is None:
        return None
    try:
        return decoded(data[name], "L" if name == "mask_img" else "RGB")
    except Unanswerable as error:
        raise Unanswerable(f"{name} cannot be used: {error}.") from error


def _words(name: str, data: Mapping[str, Any], *, needed: bool = False) -> str:
    text = data.get(name)
    if text is None and not needed:
        return ""
    if not isinstance(text, str) or len(text) > MOST_WORDS or (needed and not text.strip()):
        raise Unanswerable(f"{name} must be text of at most {MOST_WORDS} characters.")
    return text


def _number(name: str, data: Mapping[str, Any]) -> Any:
    low, high, usual, whole = NUMBERS[name]
    value = data.get(name)
    if value is None:
        return usual
    right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not right or not low <= value <= high:
        raise Unanswerable(f"{name} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}.")
    return value


def _size(numbers: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels."""
    length = numbers["image_length"]
    size = numbers["width"] or length, numbers["height"] or length
    if any(side % 8 for side in size):
        raise Unanswerable(f"Pictures have sides that are multiples of 8, not {size[0]} and {size[1]}.")
    return size


def _for_older_transformers(folder: Path) -> dict[str, Any]:
    """The parts that transformers 5 saved, for the releases before it: they would make these weights up in silence."""
    import transformers

    if int(transformers.__version__.partition(".")[0]) >= 5:
        return {}
    tokenizers = {home.name: _tokenizer(home) for home in sorted(folder.glob("tokenizer*"))}
    encoders = {home.name: _text_encoder(home) for home in sorted(folder.glob("text_encoder*"))}
    return {name: part for name, part in {**tokenizers, **encoders}.items() if part is not None}


def _tokenizer(home: Path) -> Any:
    """Of ``tokenizer.json`` alone; None where the older files lie beside it."""
    from transformers import CLIPTokenizer

    if (home / "vocab.json").is_file() or not (home / "tokenizer.json").is_file():
        return None
    model = json.loads((home / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    config = json.loads((home / "tokenizer_config.json").read_text(encoding="utf-8"))
    names = ("model_max_length", "bos_token", "eos_token", "unk_token", "pad_token")
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    with tempfile.TemporaryDirectory() as made:
        vocabulary, merges = Path(made, "vocab.json"), Path(made, "merges.txt")
        vocabulary.write_text(json.dumps(model["vocab"]), encoding="utf-8")
        merges.write_text("\n".join(["#version: 0.2", *pairs, ""]), encoding="utf-8")
        kept = {name: config[name] for name in names if isinstance(config.get(name), int | str)}
        return CLIPTokenizer(str(vocabulary), str(merges), **kept)


def _text_encoder(home: Path) -> Any:
    """One whose weights lack the prefix that older releases look for; None where they have it."""
    import transformers
    from safetensors.torch import load_file

    if not (home / "model.safetensors").is_file():
        return None
    tensors = load_file(home / "model.safetensors")
    if any(name.startswith("text_model.") for name in tensors):
        return None
    config = transformers.CLIPTextConfig.from_pretrained(home)
    encoder = getattr(transformers, (config.architectures or ["CLIPTextModel"])[0])(config)
    own = set(encoder.state_dict())
    encoder.load_state_dict({name if name in own else f"text_model.{name}": each for name, each in tensors.items()})
    return encoder.float().eval()


def _without_absent_checker(folder: Path) -> dict[str, Any]:
    """Many folders name a safety checker and come without its files; then there is none to ask."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    if index.get("safety_checker", [None, None]) == [None, None] or (folder / "safety_checker").is_dir():
        return {}
    logging.getLogger(__name__).warning("The model comes without the safety checker that it names.")
    return {"safety_checker": None, "requires_safety_checker": False}
