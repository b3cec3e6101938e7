"""Recipes, and the records of runs, as they were written before their settings had their names of today.

The network's settings stood among the others, and a few had names of our own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

_GAN = {"patience": "discriminator_warmup", "codes": "learn_codes"}
_RENAMED = {
    "dcgan": _GAN,
    "xgan": {
        **_GAN,
        "r1": "r1_gamma",
        "momentum": "beta1",
        "path": "path_length_weight",
        "path_every": "path_length_every",
        "path_decay": "path_length_decay",
        "mixing": "style_mixing",
    },
    "srgan": {
        "judge_maps": "discriminator_maps",
        "judge_patch": "discriminator_patch",
        "warm_start": "start_from",
    },
    "clipseg": {"start": "start_from"},
    "autoencoder": {"sample_every": "evaluate_every"},
    "inpainting": {"sample_every": "evaluate_every"},
}
"""Recipe -> setting then -> setting today."""


def today(data: Mapping[str, Any], settings: Collection[str], network: Any) -> dict[str, Any]:
    """``data`` with each of its settings where it is today; those that were never any stay for the reader to refuse.

    ``settings`` are the recipe's, ``network`` is the default of its network's config, or None.
    """
    renamed = _RENAMED.get(data["recipe"], {})
    made = {renamed.get(name, name): value for name, value in data.items()}
    if "r1" in made and "r1" not in settings:  # the weight of a penalty, which is gamma / 2 of each of the steps
        made["r1_gamma"] = 2 * made.pop("r1") / made.get("r1_every", 8)
    if network is None:
        return made
    of_network = {field.name for field in dataclasses.fields(network)} - set(settings)
    inner = {name: made.pop(name) for name in list(made) if name in of_network}
    return {**made, "network": {**inner, **made.get("network", {})}}


def rates_of(groups: Sequence[Mapping[str, Any]], rates: Sequence[float]) -> list[float]:
    """The learning rates of an optimiser's groups: a checkpoint of then brought its own along, else ``rates``."""
    return [group.get("factor", group.get("full", rate)) for group, rate in zip(groups, rates, strict=True)]
