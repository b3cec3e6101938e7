"""``python -m ml_backend``."""

import sys

from .cli import main

sys.exit(main())
