"""The collection, one design a file."""

from __future__ import annotations

from ..design import Design
from . import (
    a_line_skirt,
    blouse,
    camp_shirt,
    chinos,
    dress,
    hoodie,
    shift_dress,
    shirt,
    shirt_dress,
    shorts,
    skirt,
    sweatshirt,
    t_shirt,
    tank,
    trousers,
    wide_trousers,
)

COLLECTION: dict[str, Design] = {
    module.DESIGN.slug: module.DESIGN
    for module in (
        *(t_shirt, dress, skirt, shirt, hoodie, trousers),
        *(blouse, shift_dress, shirt_dress, a_line_skirt, wide_trousers),
        *(tank, sweatshirt, camp_shirt, chinos, shorts),
    )
}
