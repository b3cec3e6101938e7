"""Photo + mask + tile -> look: folds and light kept, the pattern bent along them, every other pixel untouched.

``fit`` measures a photo once; ``wear`` dresses it in any tile; :class:`OverlayPipeline` does both.  Pure NumPy,
SciPy and Pillow.
"""

from .fitting import Fit, PreviewFit, fit
from .wearing import OverlayPipeline, wear

__all__ = ["Fit", "OverlayPipeline", "PreviewFit", "fit", "wear"]
