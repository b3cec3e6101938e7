"""Which fabrics a press of the button makes."""

from __future__ import annotations

from dataclasses import replace

from ml_backend.errors import BadInput
from ml_backend.requests import MAX_SEED, GenerateRequest
from patterns import mixing
from patterns.models import Pattern
from patterns.services import UNREPEATABLE

from ..account.models import User
from ..sampling import fresh_seed
from .forms import BATCH, DEFAULT_ENGINE, FabricForm

KINSHIP = 0.4
"""How far "more like this" goes from the fabric itself (0) to its neighbours' own designs (1)."""


RETIRED = "The model that dreamed this fabric no longer serves, so it has no neighbours now. 'Again' makes new fabrics."


def wanted_fabrics(owner: User, form: FabricForm, like: Pattern | None) -> list[GenerateRequest]:
    """What a valid form asks for: new fabrics, or variations of one.  Raises :class:`BadInput`."""
    data = form.cleaned_data
    count = data["count"] or BATCH
    palette = data["palette"]
    if like:
        if like.photographed:
            raise BadInput(UNREPEATABLE)
        if like.model and mixing.why_alone(like) == mixing.RETIRED:
            raise BadInput(RETIRED)
        varied = like.vary_of is not None and like.vary_amount < 0.5
        same = replace(
            like.request,
            palette=palette or tuple(like.palette) or None,
            vary_of=like.vary_of if varied else like.seed,
            vary_amount=KINSHIP,
        )
        return [replace(same, seed=seed) for seed in _neighbours(owner, like, count)]
    first = data["seed"]
    seeds = [fresh_seed() for _ in range(count)] if first is None else range(first, first + count)
    subtype = data["subtype"] or None
    engine = data["engine"] or ("dreamed" if data["model"] else DEFAULT_ENGINE)
    engine = "drawn" if subtype else engine
    model = (data["model"] or None) if engine != "drawn" else None
    anew = GenerateRequest(
        data["pattern_type"],
        0,
        engine=engine,
        palette=palette,
        model=model,
        subtype=subtype,
        repeat=data["repeat"] or "basic",
    )
    return [replace(anew, seed=seed % (MAX_SEED + 1)) for seed in seeds]


def _neighbours(owner: User, like: Pattern, count: int) -> list[int]:
    """The seeds after this one's that the person has not seen yet."""
    kin = Pattern.objects.of(owner).filter(pattern_type=like.pattern_type, engine=like.engine, seed__gt=like.seed)
    seen = set(kin.values_list("seed", flat=True))
    seeds: list[int] = []
    seed = like.seed
    while len(seeds) < count:
        seed = (seed + 1) % (MAX_SEED + 1)
        if seed not in seen:
            seeds.append(seed)
    return seeds


def same_colourway(owner: User, pattern: Pattern, palette: tuple[str, ...]) -> Pattern | None:
    """The person's own pattern of these inks in these colours, if there is one already."""
    alike = [name for name in pattern.request.to_dict() if name != "palette"]
    kin = Pattern.objects.of(owner).at_hand().ready().filter(palette=list(palette))
    return kin.filter(cloth=pattern.cloth, **{name: getattr(pattern, name) for name in alike}).first()
