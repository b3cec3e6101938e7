"""The tour's script still finds its way: every step, without its pauses and without a film."""

from __future__ import annotations

from PIL import Image

from script import tour


def test_the_tour_finds_its_way_and_tells_it(page, shop, worker, make_garment, tmp_path):
    make_garment("shirt")
    page.set_viewport_size(tour.VIEW)
    guide = tour.Guide(page, shop, tmp_path / "pictures", slowly=0)
    tour.walk(guide)
    told = tour.write(tmp_path, guide.kept).read_text()
    assert list(guide.kept) == [step.__name__ for step in tour.STEPS] == list(tour.TITLES)
    for name, path in guide.kept.items():
        assert path.stat().st_size < 60_000 and f"pictures/{name}.webp" in told
        with Image.open(path) as picture:
            assert picture.width == tour.PICTURE_WIDTH
    assert all(tour.told(step) in told for step in tour.STEPS)
