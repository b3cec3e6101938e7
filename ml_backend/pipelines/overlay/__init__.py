"""Photo + mask + tile -> look: folds and light kept, the pattern bent along them, every other pixel untouched.

``fit`` measures a photo once; ``wear`` dresses it in any tile, ``dress`` in an outfit of several;
:class:`OverlayPipeline` fits and wears.  Pure NumPy, SciPy and Pillow.
"""

from .fitting import Fit, PreviewFit, fit
from .wearing import OverlayPipeline, dress, wear

__all__ = ["Fit", "OverlayPipeline", "PreviewFit", "dress", "fit", "wear"]
