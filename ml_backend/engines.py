"""The engines that make pictures from words, with all that pages, programs and workers know of each.

An engine is a module of ``pipelines/restyle`` or ``pipelines/imagine`` with the name that it has here; its ``build``
makes it of what there is (:class:`ml_backend.pipelines.base.Given`).  Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

SETTINGS = ("negative_prompt", "steps", "guidance", "size", "scheduler", "loras")
"""What diffusion heeds, restyle or imagine."""


@dataclass(frozen=True)
class PaintEngine:
    """``says`` is its sentence on the page, ``made`` how a picture of it was made.

    ``model`` is the capability whose model it is made of ("" without one), ``beside`` what it takes of other models
    that serve.  ``heeds`` are the fields of the request that it reads besides the words and the seed.
    """

    says: str
    made: str
    model: str = ""
    beside: tuple[str, ...] = ()
    heeds: tuple[str, ...] = ()

    @property
    def may_name(self) -> str:
        """The capability of the models that a request may name: without one of its own, those that dream fabrics."""
        return self.model or "generate"


RESTYLE = {
    "fabric": PaintEngine(
        "The words become a cloth, worn on what is marked: new colour and pattern, the same cut. It takes seconds.",
        made="by the fabric engine",
        beside=("surface",),
    ),
    "diffusion": PaintEngine(
        "A model paints the marked part anew from the words; cut and drape may change too. It takes longer.",
        made="by diffusion",
        model="restyle",
        heeds=(*SETTINGS, "strength", "sketch"),
    ),
}
"""Those that repaint a part of a photo."""

IMAGINE = {
    "fabric": PaintEngine(
        "Your words become a cloth, sewn into one of our garments. It takes seconds.",
        made="by the fabric engine",
        beside=("surface",),
        heeds=("size",),
    ),
    "diffusion": PaintEngine(
        "A model paints the whole picture from your words. It takes longer.",
        made="by diffusion",
        model="imagine",
        heeds=SETTINGS,
    ),
}
"""Those that make a whole picture."""

ENGINES = {"restyle": RESTYLE, "imagine": IMAGINE}
"""What is to be done -> who can do it."""
