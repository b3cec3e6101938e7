"""Photo + mask + surface + fabrics -> look: every fabric lies on its garment as cloth does, in the garment's own light;
every other pixel is untouched.

``fit`` measures a photo once; ``wear`` dresses it in a tile, ``dress`` each garment in its own;
:class:`OverlayPipeline` does all of it.  Pure NumPy, SciPy and Pillow.
"""

from .fitting import Fit, PreviewFit, fit, garment, known, measured
from .wearing import OverlayPipeline, SurfaceReader, dress, wear

__all__ = [
    "Fit",
    "OverlayPipeline",
    "PreviewFit",
    "SurfaceReader",
    "dress",
    "fit",
    "garment",
    "known",
    "measured",
    "wear",
]
