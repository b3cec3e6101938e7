"""Trends: what is counted, that nobody is kept with it, and who is told what."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import date, timedelta

import pytest
from django.db import connection

from ml_backend.requests import OverlayRequest
from patterns.happenings import DOWNLOADED, FAVOURITED, WORN
from studio.looks.services import ask_look
from studio.trends import charts, services
from studio.trends.models import Period, Seen, Tally, TallyKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(make_person):
    return [make_person() for _ in range(services.K)]


@pytest.fixture
def fabric(person, make_pattern):
    row = make_pattern(person, pattern_type="paisley", public=True)
    row.colours = "|red|white|"
    row.save()
    return row


def cell(by: str, value: str, maker=None, what: str = WORN, period: str = Period.DAY) -> tuple[int, int]:
    row = Tally.objects.filter(by=by, value=value, maker=maker, what=what, period=period).first()
    return (row.count, row.people) if row else (0, 0)


def times(n: int, fabric, people, what: str = WORN, garments=("dress",)) -> None:
    for person in people:
        for _ in range(n):
            services.record(what, fabric, person.pk, garments)


class TestCounting:
    def test_type_colours_and_garment_times_and_people_for_site_and_maker(self, person, fabric, people):
        times(2, fabric, people)
        for period in Period:
            for by, value in (("type", "paisley"), ("colour", "red"), ("colour", "white"), ("garment", "dress")):
                assert cell(by, value, period=period) == (10, 5), (period, by)
                assert cell(by, value, maker=person, period=period) == (10, 5), (period, by)

    def test_ones_own_doing_counts_for_the_site_and_not_as_liked_by_others(self, person, fabric):
        times(3, fabric, [person])
        assert cell("type", "paisley") == (3, 1)
        assert cell("type", "paisley", maker=person) == (0, 0)

    def test_what_is_done_on_the_pages_is_counted(self, client_of, other, fabric, make_garment):
        garment, client = make_garment("dress"), client_of(other)
        client.post("/looks/", {"pattern": fabric.pk, "on": garment.slug})
        for _ in range(2):
            client.post(f"/gallery/{fabric.pk}/favourite/", {"on": "1"})
        client.get(f"{fabric.tile_url}?download")
        client.get(fabric.tile_url)
        client_of(None).get(f"{fabric.tile_url}?download")
        assert cell("garment", "dress") == (1, 1)
        assert cell("type", "paisley") == (1, 1)
        assert cell("type", "paisley", what=FAVOURITED) == (1, 1), "asked twice it is one favourite"
        assert cell("type", "paisley", what=DOWNLOADED) == (1, 1), "only what is saved, by somebody who is somebody"

    def test_on_a_photo_kinds_of_cloth_are_the_garments(self, person, other, fabric, make_photo):
        ask_look(other, fabric, make_photo(other, classes=["skirt", "top-2"]), OverlayRequest())
        assert (cell("garment", "skirt"), cell("garment", "top")) == ((1, 1), (1, 1))

    def test_the_next_day_counts_anew(self, fabric, people, monkeypatch):
        times(1, fabric, people)
        Tally.objects.filter(period=Period.DAY).update(start=date(2020, 1, 6))
        TallyKey.objects.filter(period=Period.DAY).update(start=date(2020, 1, 6))
        times(1, fabric, people)
        assert Tally.objects.filter(period=Period.DAY, by="type", maker=None).count() == 2
        assert cell("type", "paisley", period=Period.WEEK) == (10, 5)


class TestNobodyIsKept:
    def test_no_row_names_a_person_and_what_tells_them_apart_goes_with_its_period(self, person, fabric, people):
        times(1, fabric, people)
        with connection.cursor() as cursor:
            for table in ("studio_tally", "studio_seen", "studio_tallykey"):
                cursor.execute(f"SELECT * FROM {table}")
                names = {one[0] for one in cursor.description}
                assert not names & {"user_id", "person_id", "owner_id", "by_id"}, table
        ours = {str(one.pk) for one in people} | {one.username for one in people}
        assert not ours & set(Seen.objects.values_list("digest", flat=True))
        assert services.forget() == 0, "the day and the week are not over"
        TallyKey.objects.update(start=date(2020, 1, 6))
        assert services.forget() == 2
        assert not Seen.objects.exists()
        assert cell("type", "paisley") == (5, 5), "the counts stay"
        assert services.forget() == 0

    def test_the_same_person_reads_differently_in_every_cell_and_period(self, fabric, other):
        times(1, fabric, [other])
        assert Seen.objects.count() == len(set(Seen.objects.values_list("digest", flat=True))) == 2 * 2 * 4

    def test_who_made_what_takes_their_own_counts_along(self, person, fabric, people):
        times(1, fabric, people)
        person.delete()
        assert set(Tally.objects.values_list("maker", flat=True)) == {None}


class TestTelling:
    def test_a_cell_of_fewer_than_five_people_is_shown_to_nobody(self, client_of, person, staff, fabric, people):
        times(9, fabric, people[:-1])
        for client, whose in ((client_of(staff), "site"), (client_of(person), "mine")):
            page = client.get(f"/trends/?whose={whose}").content.decode()
            assert "Nothing to tell yet" in page
            assert "paisley" not in page
            assert "paisley" not in client.get(f"/trends/table.csv?whose={whose}").content.decode()
        times(1, fabric, people[-1:])
        for client, whose in ((client_of(staff), "site"), (client_of(person), "mine")):
            page = client.get(f"/trends/?whose={whose}").content.decode()
            assert '<th scope="row">paisley</th><td><strong>37</strong>' in page
            assert 'role="img" aria-label="Times worn, 12 weeks: paisley 37."' in page

    def test_everybody_sees_their_own_and_nobody_elses(self, client_of, other, fabric, people):
        times(1, fabric, people)
        page = client_of(other).get("/trends/").content.decode()
        assert "paisley" not in page
        assert "What is liked of yours" in page
        for client in (client_of(other), client_of(None)):
            assert client.get("/trends/?whose=site").status_code == 404
            assert client.get("/trends/table.csv?whose=site").status_code == 404
            assert client.get("/trends/").status_code == 200

    def test_designers_see_the_site_as_long_as_staff_say_so(self, client_of, other, staff, fabric, people):
        times(1, fabric, people)
        client = client_of(staff)
        assert client.get("/trends/designers/").status_code == 405
        for _ in range(2):
            client.post("/trends/designers/", {"name": "ben"})
        assert "paisley" in client_of(other).get("/trends/").content.decode()
        assert 'id="designers-title"' not in client_of(other).get("/trends/").content.decode()
        assert "ben" in client.get("/trends/").content.decode()
        client.post("/trends/designers/", {"name": "ben", "off": "1"})
        assert client_of(other).get("/trends/?whose=site").status_code == 404

    def test_only_staff_name_designers_and_only_members_are(self, client_of, person, other, staff, make_person):
        for client in (client_of(person), client_of(None)):
            assert client.post("/trends/designers/", {"name": "ben"}).status_code == 404
        guest = make_person(is_guest=True)
        for name in ("nobody", guest.username, ""):
            client_of(staff).post("/trends/designers/", {"name": name})
        assert services.designers() == []

    def test_the_table_leaves_as_csv(self, client_of, staff, fabric, people):
        times(2, fabric, people)
        answer = client_of(staff).get("/trends/table.csv?by=colour&period=day&what=worn")
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert "toile-trends-site-worn-colour-day.csv" in answer.headers["Content-Disposition"]
        lines = list(csv.reader(io.StringIO(answer.content.decode())))
        today = services.start_of(Period.DAY, date.today())
        assert lines == [
            ["day_from", "what", "colour", "times", "people"],
            [str(today), "worn", "red", "10", "5"],
            [str(today), "worn", "white", "10", "5"],
        ]

    def test_nonsense_in_the_address_is_the_usual(self, client_of, staff):
        context = client_of(staff).get("/trends/?what=eaten&by=size&period=hour&whose=ben").context
        assert [context[name] for name in ("what", "by", "period", "whose")] == ["worn", "type", "week", "site"]
        assert client_of(staff).post("/trends/").status_code == 405


class TestCharts:
    def trend(self, **values: list[int | None]) -> services.Trend:
        starts = tuple(date(2027, 1, 4) + timedelta(weeks=n) for n in range(4))
        rows = [
            services.Row(name, tuple(None if n is None else Tally(value=name, count=n, people=9) for n in counts))
            for name, counts in values.items()
        ]
        return services.Trend(WORN, "type", "week", starts, tuple(rows))

    def test_what_is_not_told_is_a_gap_in_the_line(self):
        (line,) = charts.chart(self.trend(floral=[10, None, 5, 20])).lines
        assert line.pieces == ("400,165 600,0",)
        assert line.marks == ((0.0, 110.0), (400.0, 165.0), (600.0, 0.0))

    def test_names_at_the_ends_do_not_lie_on_each_other(self):
        drawn = charts.chart(self.trend(a=[1, 1, 1, 8], b=[1, 1, 1, 8], c=[1, 1, 1, 8]))
        heights = sorted(line.label_y for line in drawn.lines)
        assert all(other - one >= charts.GAP for one, other in itertools.pairwise(heights))

    def test_nothing_told_is_no_chart(self):
        assert charts.chart(self.trend()) is None
