"""What can become of two fabrics, and why not."""

from __future__ import annotations

import pytest

from ml_backend.errors import BadInput
from ml_backend.inks import mix_palettes, palette_from_seed
from ml_backend.requests import GenerateRequest
from ml_backend.serving import curation, jobs, loading, registry
from patterns import cutting, mixing, services
from patterns.mixing import Other
from patterns.models import Pattern

pytestmark = pytest.mark.django_db
OTHER_COLOURS = ["#101820", "#f2aa4c", "#335577", "#ffffff"]


@pytest.fixture
def dreamed(make_pattern, person):
    """``dreamed(pattern_type="floral", seed=7)``: a finished fabric of the model that serves."""
    model = registry.reference("generate")
    return lambda **fields: make_pattern(
        person, **{"engine": "dreamed", "model": model, "pattern_type": "floral", **fields}
    )


def test_a_blend_lies_between_two_fabrics_in_shape_and_colour(dreamed):
    one, other = dreamed(seed=7), dreamed(pattern_type="plaid", seed=12, palette=OTHER_COLOURS)
    low, high = mixing.blends(one, Other.of(other), [0.25, 0.75])
    assert (low.parent, low.partner) == (one, other)
    assert low.request == GenerateRequest(
        "floral", 7, size=64, model=one.model, morph_to=12, morph_amount=0.25, morph_type="plaid",
        palette=mix_palettes(tuple(one.palette), OTHER_COLOURS, 0.25),
    )  # fmt: skip
    assert high.request.morph_amount == 0.75


def test_a_blend_with_a_seed_wears_what_that_seed_would(dreamed):
    (mixed,) = mixing.blends(dreamed(seed=7), Other("floral", 9), [1.0])
    assert (mixed.request.morph_to, mixed.request.morph_type, mixed.partner) == (9, None, None)
    assert mixed.request.palette == palette_from_seed("floral", 9, 4)


def test_a_variation_can_be_either_half(dreamed):
    plain, varied = dreamed(seed=7), dreamed(seed=8, vary_of=3, vary_amount=0.4)
    (first,) = mixing.blends(varied, Other.of(plain), [0.3])
    assert (first.request.vary_of, first.request.morph_to, first.request.morph_amount) == (3, 7, 0.3)
    (turned,) = mixing.blends(plain, Other.of(varied), [0.3])
    assert (turned.request.vary_of, turned.request.morph_to, turned.request.morph_amount) == (3, 7, 0.7)
    assert (turned.parent, turned.partner) == (varied, plain)
    assert turned.request.palette == mix_palettes(tuple(plain.palette), tuple(varied.palette), 0.3)


def test_a_new_blend_of_a_blend_begins_with_its_first_fabric(dreamed):
    one, other, third = dreamed(seed=7), dreamed(seed=8), dreamed(seed=9, palette=OTHER_COLOURS)
    blend = dreamed(seed=7, morph_to=8, morph_amount=0.5, parent=one, partner=other)
    (mixed,) = mixing.blends(blend, Other.of(third), [0.5])
    assert (mixed.request.seed, mixed.request.morph_to, mixed.parent) == (7, 9, one)
    assert mixed.request.palette == mix_palettes(tuple(one.palette), OTHER_COLOURS, 0.5)
    one.delete()
    blend.refresh_from_db()
    (alone,) = mixing.blends(blend, Other.of(third), [0.5])
    assert (alone.request.seed, alone.request.morph_to, alone.parent) == (7, 9, blend)


def test_a_drawing_keeps_layout_and_colours(dreamed):
    one, other = dreamed(seed=7), dreamed(seed=9)
    mixed = mixing.drawing(one, Other.of(other))
    assert mixed.request == GenerateRequest(
        "floral", 7, size=64, model=one.model, detail_of=9, palette=tuple(one.palette)
    )
    assert (mixed.parent, mixed.partner) == (one, other)


@pytest.mark.parametrize(
    ("move", "one", "other", "why"),
    [
        ("blend", {"engine": "drawn", "model": ""}, {}, mixing.DRAWN),
        ("drawing", {"engine": "drawn", "model": ""}, {}, mixing.DRAWN),
        ("blend", {"model": "gone@0123456789ab"}, {}, mixing.RETIRED),
        ("blend", {}, {"engine": "drawn", "model": ""}, mixing.OTHER_DRAWN),
        ("drawing", {}, {"engine": "drawn", "model": ""}, mixing.OTHER_DRAWN),
        ("blend", {}, {"model": "gone@0123456789ab"}, mixing.OTHER_MODEL),
        ("blend", {}, {"morph_to": 3}, mixing.OTHER_BLEND),
        ("blend", {}, {"detail_of": 3}, mixing.OTHER_BLEND),
        ("drawing", {}, {"morph_to": 3}, mixing.OTHER_BLEND),
        ("drawing", {}, {"vary_of": 3}, mixing.OTHER_VARIED),
        ("drawing", {}, {"pattern_type": "plaid"}, mixing.OTHER_TYPE),
        ("blend", {"vary_of": 2}, {"vary_of": 3}, mixing.BOTH_VARIED),
        ("blend", {"seed": 5}, {"seed": 5}, mixing.ITSELF),
        ("drawing", {"seed": 5}, {"seed": 5}, mixing.ITSELF),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(dreamed, move, one, other, why):
    first, second = dreamed(**one), Other.of(dreamed(**other))
    with pytest.raises(BadInput) as told:
        mixing.blends(first, second, [0.5]) if move == "blend" else mixing.drawing(first, second)
    assert str(told.value) == why


def test_an_unfinished_fabric_is_no_half(dreamed, person):
    queued = services.ask(person, GenerateRequest("floral", 1))
    assert mixing.why_alone(queued) == mixing.why_not("colours", dreamed(), Other.of(queued)) == mixing.UNFINISHED


def test_every_fabric_has_colours_to_give_but_not_to_itself(dreamed):
    one, drawn = dreamed(), dreamed(engine="drawn", model="")
    assert mixing.why_not("colours", one, Other.of(drawn)) == mixing.why_not("colours", drawn, Other.of(one)) == ""
    assert mixing.why_not("colours", one, Other.of(one)) == mixing.ITSELF


def test_steps_lie_between():
    assert mixing.steps(3) == [0.25, 0.5, 0.75]
    assert mixing.steps(5) == [0.17, 0.33, 0.5, 0.67, 0.83]


def test_a_row_and_its_request_say_the_same(person):
    request = GenerateRequest(
        "floral", 7, size=128, vary_of=3, vary_amount=0.2, morph_to=5, morph_amount=0.4, morph_type="plaid",
        colours_of=6, detail_of=8,
    )  # fmt: skip
    row = services.ask(person, request)
    assert Pattern.objects.get(pk=row.pk).request == request
    assert row.move == "blend"


# --- which model dreams -----------------------------------------------------------------------------------------------


def test_only_a_model_that_serves_can_be_asked_for(person):
    reference = registry.reference("generate")
    assert services.ask(person, GenerateRequest("floral", 1, model="xgan-starter")).model == reference
    with pytest.raises(BadInput, match="does not serve here"):
        services.ask(person, GenerateRequest("floral", 1, model="gone@0123456789ab"))
    with pytest.raises(BadInput, match="needs no model"):
        services.ask(person, GenerateRequest("floral", 1, engine="drawn", model=reference))
    assert Pattern.objects.count() == 1


@pytest.fixture
def two_networks(tmp_path, settings):
    """A tiny DCGAN and a tiny XGAN that serve beside the starters: their rows."""
    import torch

    from ml_backend.networks import build
    from ml_backend.packaging import save_package

    settings.MEDIA_ROOT = str(tmp_path / "files")
    configs = {
        "dcgan": {"size": 16, "maps": 4, "latent": 8, "embedding": 4},
        "xgan": {"size": 16, "latent": 8, "embedding": 4, "width": 8, "mapping": 1, "capacity": 64, "widest": 8},
    }
    rows = []
    for number, (architecture, config) in enumerate(configs.items()):
        torch.manual_seed(number)
        weights = build(architecture, config).state_dict()
        folder = tmp_path / architecture
        save_package(
            folder,
            name=f"tiny-{architecture}",
            capability="generate",
            architecture=architecture,
            config=config,
            state_dict=weights,
        )
        rows.append(curation.add(folder))
        curation.offer(rows[-1])
    yield rows
    registry.forget_packages()
    loading._loaded.clear()


def test_a_model_withdrawn_while_a_fabric_waits_is_still_there_for_it(person, two_networks, work_off):
    """Whether it serves was asked when the work was; a worker only needs its files."""
    version = two_networks[0]
    row, other = (services.ask(person, GenerateRequest("floral", seed, size=32, model=version.name)) for seed in (1, 2))
    curation.withdraw(version)
    with pytest.raises(BadInput, match=r"is kept, but does not serve, or no longer does. To dream fabrics, choose one"):
        services.ask(person, GenerateRequest("floral", 3, size=32, model=version.name))
    assert services.ask(person, row.request).request == row.request, "a recipe names it wholly, and may have it again"
    jobs.work_off(jobs.QUEUES, beating=False, most=1)
    row.refresh_from_db()
    assert (row.state, row.model) == ("done", version.reference)
    version.refresh_from_db()
    curation.remove(version)
    work_off()
    other.refresh_from_db()
    assert other.state == "failed"
    assert other.job.message == f"The model {version.reference} that made this is no longer kept here."


def test_each_network_dreams_its_own_and_blends_with_its_own(person, two_networks, work_off):
    def ask(model: str, seed: int) -> Pattern:
        return services.ask(person, GenerateRequest("floral", seed, size=32, model=model))

    made = {row.name: [ask(row.name, seed) for seed in (1, 2)] for row in two_networks}
    work_off()
    for row in two_networks:
        one, other = (Pattern.objects.get(pk=pattern.pk) for pattern in made[row.name])
        assert one.model == other.model == row.reference
        made[row.name] = [one, other]
    (dcgan, other), (xgan, _) = made.values()
    assert cutting.stored_inks(dcgan).tolist() != cutting.stored_inks(xgan).tolist()
    assert mixing.why_not("blend", dcgan, Other.of(xgan)) == mixing.OTHER_MODEL
    blends = [mixing.blends(*_pair(pair), [1.0])[0].request for pair in made.values()]
    drawings = [mixing.drawing(*_pair(pair)).request for pair in made.values()]
    rows = [services.ask(person, request) for request in blends + drawings]
    work_off()
    for row in rows:
        row.refresh_from_db()
        assert row.state == "done", row.job.message
    arrived = cutting.stored_inks(rows[0])
    assert arrived.tolist() == cutting.stored_inks(other).tolist(), "a blend all the way is the other fabric"


def _pair(pair: list[Pattern]) -> tuple[Pattern, Other]:
    return pair[0], Other.of(pair[1])
