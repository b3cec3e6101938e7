"""How an image is made: a pure library, and the Django face that serves it (:mod:`.serving` and Django's own files).

The library's public names can all be had from here; each is imported when it is first asked for, torch with the
pipelines that need it::

    from ml_backend import GeneratePipeline, GenerateRequest, starter

    fabric = GeneratePipeline(starter("xgan-starter"), None)(GenerateRequest("floral", seed=7, size=128))
    fabric.image.save("floral.png")
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "errors": ("Away", "BadInput", "BadPackage", "LibraryError", "Stopped"),
    "requests": (
        "GenerateRequest",
        "ImagineRequest",
        "OutfitRequest",
        "OverlayRequest",
        "RestyleRequest",
        "TapRequest",
        "TextMaskRequest",
    ),
    "packaging": ("Manifest", "Package"),
    "packaging.starter": ("starter",),
    "pipelines.generate": ("GeneratePipeline",),
    "pipelines.upscale": ("UpscalePipeline",),
    "pipelines.segment": ("SegmentPipeline",),
    "pipelines.surface": ("SurfacePipeline",),
    "pipelines.overlay": ("OverlayPipeline",),
    "pipelines.text_mask": ("TextMaskPipeline",),
    "pipelines.restyle.fabric": ("FabricRestyle",),
    "pipelines.restyle.diffusion": ("DiffusionRestyle",),
    "pipelines.imagine.fabric": ("FabricImagine",),
    "pipelines.imagine.diffusion": ("DiffusionImagine",),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
