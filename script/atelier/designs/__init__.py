"""The collection, one design a file."""

from __future__ import annotations

from ..design import Design
from . import dress, hoodie, shirt, skirt, t_shirt, trousers

COLLECTION: dict[str, Design] = {
    module.DESIGN.slug: module.DESIGN for module in (t_shirt, dress, skirt, shirt, hoodie, trousers)
}
