"""Model packages: weights or a whole model folder, ``manifest.json`` and perhaps a model card, ``README.md``."""

from .package import Manifest, Package, save_folder_manifest, save_package

__all__ = ["Manifest", "Package", "save_folder_manifest", "save_package"]
