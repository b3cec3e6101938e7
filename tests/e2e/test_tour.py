"""The tour's script still finds its way, without its pauses and without a film."""

from __future__ import annotations

from PIL import Image

from script import tour

WALKED_ELSEWHERE = (tour.restyle, tour.imagine)
"""Their fields and buttons are pressed in tests of their own, with painters that are quick."""


def test_the_tour_finds_its_way_and_tells_it(page, shop, worker, make_garment, tmp_path):
    make_garment("shirt")
    page.set_viewport_size(tour.VIEW)
    guide = tour.Guide(page, shop, tmp_path / "pictures", slowly=0)
    steps = [step for step in tour.STEPS if step not in WALKED_ELSEWHERE]
    tour.walk(guide, steps)
    told = tour.write(tmp_path, guide.kept).read_text()
    assert list(guide.kept) == [step.__name__ for step in steps]
    for name, path in guide.kept.items():
        assert path.stat().st_size < 60_000 and f"pictures/{name}.webp" in told
        with Image.open(path) as picture:
            assert picture.width == (2 * tour.PHONE["width"] if name == "phone" else tour.PICTURE_WIDTH)
    assert all(tour.told(step) in told for step in steps)


def test_every_step_has_a_sentence_and_a_title_and_waits_are_cut_short():
    assert [step.__name__ for step in tour.STEPS] == list(tour.TITLES)
    assert all(20 < len(tour.told(step)) < 130 for step in tour.STEPS)
    waits = [(10.0, 11.0), (20.0, 30.0)]
    times = [tour.shortened(at, waits) for at in (5.0, 11.0, 21.0, 25.0, 31.0)]
    assert times == [5.0, 11.0, 21.0, 20 + tour.WAIT_SHOWN, 21 + tour.WAIT_SHOWN]
