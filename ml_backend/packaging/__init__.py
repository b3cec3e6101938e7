"""Model packages: ``weights.safetensors`` + ``manifest.json`` (+ ``README.md``, the model card) in one folder."""

from .package import Manifest, Package, save_package

__all__ = ["Manifest", "Package", "save_package"]
