"""Printing a fabric: what owner, outsider and visitor may ask for, what comes of it, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from ml_backend.errors import BadInput
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose, palette_from_seed
from ml_backend.models import Job, ModelVersion
from ml_backend.printing.plan import PrintRequest
from ml_backend.requests import GenerateRequest
from ml_backend.serving.storage import used_by
from ml_backend.swatches.drawing.tile import draw_inks
from patterns import cutting, files
from patterns import services as fabrics
from patterns.models import Pattern
from patterns.passport import is_free, passport
from studio.printing import designs, services
from studio.printing.models import PressProfile, Print
from studio.printing.requests import PackRequest
from tests.ml_backend.icc import cmyk_profile

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SMALL = {"kind": "tile", "format": "tiff", "repeat": "half-drop", "unit": "cm", "size": "3", "dpi": "150"}
PANEL = {**SMALL, "kind": "panel", "width": "5", "height": "4"}


@pytest.fixture(scope="module")
def icc() -> bytes:
    return cmyk_profile()


@pytest.fixture
def fabric(person, make_pattern) -> Pattern:
    return make_pattern(person, pattern_type="floral", seed=123)


def of(pattern: Pattern, name: str = "print") -> str:
    return reverse(name, args=[pattern.pk])


def profile_of(person, icc: bytes) -> PressProfile:
    return services.add_profile(person, SimpleUploadedFile("a.icc", icc))


def content(row: Print) -> bytes:
    with default_storage.open(str(row.file)) as file:
        return file.read()


class TestAsking:
    def test_a_file_is_made_and_can_be_had_again(self, person, fabric, client_of, work_off):
        client = client_of(person)
        answer = client.post(of(fabric), SMALL)
        assert answer.status_code == 302 and answer.headers["Location"].endswith("?repeat=half-drop&scale_cm=3#made")
        row = Print.objects.get()
        assert (row.owner, row.pattern, row.state) == (person, fabric, "queued")
        assert "waiting" in client.get(of(fabric)).content.decode()
        work_off()
        row.refresh_from_db()
        assert row.state == "done" and row.size == len(content(row))
        with Image.open(io.BytesIO(content(row))) as image:
            assert image.size == (178, 178) and image.info["dpi"] == (150, 150)
        for _ in range(2):
            got = client.get(row.file_url + "?download")
            assert (
                got.headers["Content-Disposition"]
                == 'attachment; filename="toile-floral-123-half-drop-3x3cm-150dpi.tif"'
            )
            assert got.headers["Content-Type"] == "image/tiff" and got.content == content(row)
        page = client.get(of(fabric)).content.decode()
        assert row.title in page and "178 × 178 pixels" in page

    def test_asked_twice_two_are_made(self, person, fabric, client_of, work_off):
        for _ in range(2):
            client_of(person).post(of(fabric), SMALL)
        assert work_off() == 2
        assert len({str(row.file) for row in Print.objects.all()}) == 2

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (SMALL, "One repeat (half-drop): 3 × 3 cm at 150 dpi, 178 × 178 pixels, as TIFF (LZW)."),
            (PANEL, "A panel of 3 cm half-drop repeats: 5 × 4 cm at 150 dpi, 295 × 236 pixels"),
            ({**PANEL, "in_repeats": "on"}, "15 × 12 cm at 150 dpi, 890 × 712 pixels"),
            ({**SMALL, "unit": "in"}, "7.62 × 7.62 cm at 150 dpi, 450 × 450 pixels"),
            ({**SMALL, "kind": "plates", "trap_mm": "0.2"}, "4 plates of one repeat"),
            ({**SMALL, "kind": "strike-off"}, "A strike-off sheet"),
            ({**SMALL, "format": "svg"}, "lines and no pixels"),
            ({**SMALL, "size": "150", "dpi": "300"}, "as large as it can be"),
            ({**PANEL, "width": ""}, "width of the panel"),
            ({**PANEL, "width": "400", "height": "400", "dpi": "300"}, "million"),
            ({**SMALL, "dpi": "72"}, "Select a valid choice"),
            ({**SMALL, "size": "many"}, "Enter a number"),
            ({**SMALL, "format": "svg", "weave": "on"}, "lines cannot draw"),
        ],
    )
    def test_the_page_says_before_what_will_come_out(self, person, fabric, client_of, given, said):
        client = client_of(person)
        plan = client.get(of(fabric, "print-plan"), given, headers=HTMX).content.decode()
        assert said in plan
        page = client.post(of(fabric), {**given, "plan": "1"})  # without scripts
        assert said in page.content.decode() and not Print.objects.exists()
        assert f'name="size" value="{given["size"]}"' in page.content.decode() or "many" in given["size"]

    def test_wrong_values_make_nothing_and_keep_what_was_typed(self, person, fabric, client_of):
        answer = client_of(person).post(of(fabric), {**SMALL, "size": "150", "dpi": "300"})
        assert answer.status_code == 422 and "as large as it can be" in answer.content.decode()
        assert 'value="150"' in answer.content.decode() and not Print.objects.exists()

    def test_a_design_that_is_coarser_than_the_print_is_warned_of(self, person, make_pattern, client_of):
        dreamed = make_pattern(person, engine="dreamed", model="tiny@0123456789ab")
        plan = client_of(person).get(of(dreamed, "print-plan"), {**SMALL, "size": "24"}).content.decode()
        assert "Real detail: 7 dpi" in plan and "64 pixels on 24 cm" in plan

    def test_the_address_says_how_the_cloth_lies(self, person, fabric, client_of):
        page = client_of(person).get(of(fabric) + "?repeat=mirror&scale_cm=17.5").content.decode()
        assert 'value="17.5"' in page and '<option value="mirror" selected>mirror' in page
        for wrong in ("?repeat=spiral&scale_cm=nan", "?scale_cm=1e999", "?scale_cm=-1"):
            assert client_of(person).get(of(fabric) + wrong).status_code == 200


class TestWho:
    def test_outsiders_and_visitors_see_published_fabrics_only(self, fabric, other, client_of):
        for who in (other, None):
            client = client_of(who)
            for url in (of(fabric), of(fabric, "print-plan")):
                assert client.get(url).status_code == 404
            assert client.post(of(fabric), SMALL).status_code == 404
            assert client.post(of(fabric, "print-pack"), {"garments": "skirt"}).status_code == 404
        assert not Print.objects.exists()

    def test_a_published_fabric_is_printed_by_anybody_each_for_themselves(self, fabric, other, client_of, client):
        fabric.publish(True)
        assert client_of(other).post(of(fabric), SMALL).status_code == 302
        assert client.post(of(fabric), SMALL).status_code == 302  # a visitor becomes a guest
        owners = set(Print.objects.values_list("owner", flat=True))
        assert len(owners) == 2 and fabric.owner_id not in owners
        assert (
            Print.objects.filter(owner=other).get().title
            not in client_of(fabric.owner).get("/prints/").content.decode()
        )

    def test_files_states_and_deleting_are_the_owner_s(self, person, other, fabric, client_of, work_off):
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150))
        work_off()
        row.refresh_from_db()
        for who in (other, None):
            client = client_of(who)
            assert client.get(row.file_url).status_code == 404
            assert client.get(reverse("print-status", args=[row.pk])).status_code == 404
            assert client.post(reverse("print-delete", args=[row.pk])).status_code == 404
            assert row.title not in client.get("/prints/").content.decode()
        mine = client_of(person)
        assert mine.get(reverse("print-status", args=[row.pk])).status_code == 200
        assert row.title in mine.get("/prints/").content.decode()
        assert mine.get(reverse("print-delete", args=[row.pk])).status_code == 200

    def test_deleting_takes_the_file_along_and_a_second_time_finds_nothing(
        self, person, fabric, client_of, work_off, committed
    ):
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150))
        work_off()
        row.refresh_from_db()
        key, before = str(row.file), used_by(person)
        address = reverse("print-delete", args=[row.pk])
        with committed():
            assert client_of(person).post(address).status_code == 302
        assert not default_storage.exists(key) and used_by(person) == before - row.size
        assert client_of(person).post(address).status_code == 404


class TestMaking:
    def test_the_file_stays_when_its_fabric_goes(self, person, fabric, client_of, work_off):
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150))
        work_off()
        fabric.delete()
        row.refresh_from_db()
        assert row.state == "done" and row.title in client_of(person).get("/prints/").content.decode()
        assert client_of(person).get(reverse("print-delete", args=[row.pk])).status_code == 200

    def test_a_fabric_that_goes_before_fails_the_print_with_a_sentence(self, person, fabric, work_off):
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150))
        fabric.delete()
        work_off()
        row = Print.objects.select_related("job").get(pk=row.pk)
        assert row.state == "failed" and "was deleted" in row.job.message

    def test_a_fabric_in_work_is_waited_for(self, person, work_off):
        fabric = fabrics.ask(person, GenerateRequest("dotted", 5, size=64, engine="drawn"))
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150))
        assert list(row.job.after.all()) == [fabric.job]

    def test_plates_come_as_a_zip_with_their_coverage(self, person, fabric, client_of, work_off):
        client_of(person).post(of(fabric), {**SMALL, "kind": "plates", "trap_mm": "0.3"})
        work_off()
        row = Print.objects.get()
        with zipfile.ZipFile(io.BytesIO(content(row))) as archive:
            assert len([name for name in archive.namelist() if name.endswith(".tif")]) == 4
            told = json.loads(archive.read("plates.json"))
        assert told["recipe"]["seed"] == 123 and "owner" not in json.dumps(told)
        assert row.file_url and "ground" in client_of(person).get(of(fabric)).content.decode()

    def test_a_strike_off_shows_the_colourways_of_its_owner(self, person, other, fabric, work_off):
        fabrics.recolour(person, fabric, ["#102040", "#f0e0d0", "#cc3322", "#446633"])
        row = services.ask_print(person, fabric, PrintRequest(kind="strike-off", scale_cm=6, dpi=150))
        work_off()
        row.refresh_from_db()
        assert row.facts["fields"] == 6
        assert "#102040" in PdfReader(io.BytesIO(content(row))).pages[0].extract_text()
        fabric.publish(True)
        row = services.ask_print(other, fabric, PrintRequest(kind="strike-off", scale_cm=6, dpi=150))
        work_off()
        row.refresh_from_db()
        assert row.facts["fields"] == 3

    def test_every_colourway_has_a_name_of_its_own(self):
        inks = [["#f0e8d8", "#b02020", other] for other in ("#204f8f", "#2f7040", "#2f7040", "#c08030")]
        ways = [Pattern(palette=palette, colours="|red|white|") for palette in [*inks, ["#f0e8d8", "#203040"]]]
        ways[-1].colours = "|blue|white|"
        names = services.ways_called(ways)
        assert len(set(names)) == 5 and names[-1] == "Blue and white"
        assert all(name.startswith("Red and white, ") for name in (names[0], names[3]))
        assert names[1:3] == ["Red and white 2", "Red and white 3"], "two of the same colours are counted"

    def test_a_drawn_fabric_is_drawn_finely_unless_the_renderer_draws_another_now(self, person):
        palette = palette_from_seed("floral", 8)
        row = Pattern(owner=person, pattern_type="floral", seed=8, engine="drawn", palette=list(palette), size=64)
        from ml_backend.pipelines.generate import draw

        kept = draw(GenerateRequest("floral", 8, size=64, engine="drawn"))
        fabrics.store(row, cutting.cut(kept, palette, row.recipe()))
        assert designs.to_print(row, "basic").at(500).inks.shape == (5, 500, 500)
        half = designs.to_print(row, "half-drop")
        tile = Image.fromarray(compose(half.at(256).inks, half.palette))
        assert seam_ratio(tile, "half-drop") < 1.2 < seam_ratio(tile, "basic"), "drawn for it"
        another_inks = draw_inks("plaid", 3, 64)
        another = Pattern(owner=person, pattern_type="floral", seed=8, engine="drawn", palette=list(palette), size=64)
        fabrics.store(another, cutting.cut(another_inks, palette, another.recipe()))
        assert designs.to_print(another, "basic").redraw is None
        mended = designs.to_print(another, "half-brick")
        assert mended.redraw is None and not np.array_equal(mended.inks, another_inks)

    def test_a_large_file_comes_in_pieces(self, person, fabric, client_of, work_off, monkeypatch):
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150))
        work_off()
        row.refresh_from_db()
        monkeypatch.setattr(files, "WHOLE", 1000)
        monkeypatch.setattr(files, "PIECE", 700)
        answer = client_of(person).get(row.file_url + "?download")
        assert answer.streaming and int(answer.headers["Content-Length"]) == row.size
        assert b"".join(answer.streaming_content) == content(row)

    def test_nothing_private_stands_in_the_file(self, person, fabric, work_off):
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150, format="png"))
        work_off()
        row.refresh_from_db()
        data = content(row)
        assert b"algorithmicMedia" in data
        for private in (person.username, str(fabric.pk), str(row.pk)):
            assert private.encode() not in data

    def test_where_the_site_has_a_certificate_pictures_are_signed(self, person, fabric, work_off, settings, tmp_path):
        c2pa = pytest.importorskip("c2pa")
        from tests.ml_backend.test_signing import made

        by = made("Toile test")
        (tmp_path / "chain.pem").write_bytes(by.certificate)
        (tmp_path / "key.pem").write_bytes(by.key)
        settings.C2PA_CERTIFICATE, settings.C2PA_KEY = str(tmp_path / "chain.pem"), str(tmp_path / "key.pem")
        asked = [PrintRequest(scale_cm=3, dpi=150, format=form) for form in ("png", "pdf")]
        rows = [services.ask_print(person, fabric, one) for one in asked]
        work_off()
        for row in rows:
            row.refresh_from_db()
        assert [row.facts["signed"] for row in rows] == [True, False]
        with c2pa.Reader("image/png", io.BytesIO(content(rows[0]))) as reader:
            assert reader.get_validation_state() in ("Valid", "Trusted")
            assert "algorithmicMedia" in reader.json() and str(fabric.pk) not in reader.json()


class TestPack:
    @pytest.fixture(autouse=True)
    def _no_surface(self, monkeypatch):
        from ml_backend.serving import loading

        monkeypatch.setattr(loading, "surface_reader", lambda: None)

    def test_a_tech_pack_tells_what_a_maker_must_know(
        self, person, fabric, make_garment, client_of, work_off, settings
    ):
        settings.SITE_URL = "https://toile.example"
        make_garment("skirt")
        make_garment("skirt-back")
        fabrics.recolour(person, fabric, ["#102040", "#f0e0d0", "#cc3322", "#446633"])
        asked = {"garments": ["skirt"], "size": "12", "repeat": "half-brick", "notes": "Lawn, 70 g.\r\nBias cut."}
        assert client_of(person).post(of(fabric, "print-pack"), asked).status_code == 302
        work_off()
        row = Print.objects.get()
        assert (row.state, row.kind, row.facts["pages"], row.facts["flats"]) == ("done", "pack", 5, 2)
        assert row.title == "toile-floral-123-half-brick-12cm-tech-pack"
        pages = PdfReader(io.BytesIO(content(row))).pages
        assert {tuple(round(float(side)) for side in page.mediabox[2:]) for page in pages} == {(595, 842)}
        text = "\n".join(page.extract_text() for page in pages)
        for told in ("12 cm", "half-brick", "#102040", "#9c2a2e", "Lawn, 70 g.", "Bias cut.", "Skirt, front"):
            assert told in text
        assert f"https://toile.example/gallery/{fabric.pk}/" in text and person.username not in text
        assert "Skirt, back" in text and "No model" in text and "L 94" in text

    def test_what_it_cannot_print_is_said(self, person, fabric, make_garment, client_of):
        make_garment("skirt")
        ask = {"garments": ["skirt"], "size": "12", "repeat": "basic", "notes": "布"}
        answer = client_of(person).post(of(fabric, "print-pack"), ask, headers=HTMX)
        assert answer.status_code == 422 and "Latin letters" in answer.content.decode()
        for wrong in ({**ask, "garments": []}, {**ask, "garments": ["kilt"]}, {**ask, "size": "0"}):
            assert (
                client_of(person).post(of(fabric, "print-pack"), {**wrong, "notes": ""}, headers=HTMX).status_code
                == 422
            )
        assert not Print.objects.exists()
        with pytest.raises(BadInput, match="not there any more"):
            services.ask_pack(person, fabric, PackRequest(garments=("kilt",)))
        with pytest.raises(BadInput, match="1 to 3"):
            PackRequest(garments=("a", "b", "c", "d"))


class TestProfiles:
    def send(self, client, data: bytes):
        file = SimpleUploadedFile("printer.icc", data)
        return client.post(reverse("profile-new"), {"file": file}, headers=HTMX)

    def test_a_profile_is_kept_once_and_prints(self, person, fabric, client_of, icc, work_off):
        client = client_of(person)
        for _ in range(2):
            assert self.send(client, icc).status_code == 302
        profile = PressProfile.objects.get()
        given = {**SMALL, "profile": str(profile.pk), "intent": "perceptual"}
        plan = client.get(of(fabric, "print-plan"), given).content.decode()
        assert "Soft proof: Test printer" in plan and "gamut" in plan
        for name in ("soft", "where"):
            answer = client.get(reverse("print-proof", args=[fabric.pk, profile.pk, name]))
            with Image.open(io.BytesIO(answer.content)) as image:
                assert (image.format, image.size) == ("WEBP", (512, 512))
            assert answer.headers["Cache-Control"] == files.NOBODY
        assert client.post(of(fabric), given).status_code == 302
        work_off()
        with Image.open(io.BytesIO(content(Print.objects.get()))) as image:
            assert image.mode == "CMYK" and image.info["icc_profile"] == icc
        assert Print.objects.get().facts["out_of_gamut"] >= 0
        png = client.get(of(fabric, "print-plan"), {**given, "format": "png"}).content.decode()
        assert "no CMYK" in png

    @pytest.mark.parametrize("hostile", [b"x", b"\0" * 5000, b"<svg/>" * 100])
    def test_what_is_no_profile_is_refused(self, person, client_of, icc, hostile):
        for data in (hostile, icc[:-7], icc.replace(b"CMYK", b"RGB ", 1)):
            answer = self.send(client_of(person), data)
            assert answer.status_code == 422 and "profile" in answer.content.decode()
        assert not PressProfile.objects.exists() and used_by(person) == 0

    def test_it_is_its_owner_s_alone(self, person, other, fabric, client_of, icc):
        profile = profile_of(person, icc)
        fabric.publish(True)
        for who in (other, None):
            client = client_of(who)
            assert client.get(reverse("print-proof", args=[fabric.pk, profile.pk, "soft"])).status_code == 404
            assert client.post(reverse("profile-delete", args=[profile.pk])).status_code == 404
            assert client.get(profile.file_url).status_code == 404
            plan = client.get(of(fabric, "print-plan"), {**SMALL, "profile": str(profile.pk)}).content.decode()
            assert "valid choice" in plan
        assert client_of(person).post(reverse("profile-delete", args=[profile.pk])).status_code == 302

    def test_a_print_whose_profile_goes_is_not_made_in_other_colours(self, person, fabric, icc, work_off):
        profile = profile_of(person, icc)
        row = services.ask_print(person, fabric, PrintRequest(scale_cm=3, dpi=150), profile)
        profile.delete()
        work_off()
        row = Print.objects.select_related("job").get(pk=row.pk)
        assert row.state == "failed" and "profile" in row.job.message


class TestPassport:
    def test_a_drawn_fabric_has_no_model(self, fabric, person, client_of):
        assert passport([fabric]).stamps == ()
        assert "no model took part" in client_of(person).get(reverse("pattern", args=[fabric.pk])).content.decode()

    def test_models_are_named_with_their_licences_and_trade_is_warned_of(self, person, make_pattern, client_of):
        ModelVersion.objects.create(name="art", sha256="ab" * 32, capability="generate", licence="CC-BY-NC-4.0")
        dreamed = make_pattern(person, engine="dreamed", model="art@abababababab")
        found = passport([dreamed], ["gone@0123456789ab"])
        assert [one.reference for one in found.stamps] == ["art@abababababab", "gone@0123456789ab"]
        assert not any(one.free for one in found.stamps)
        assert "may not be used commercially" in found.warnings[0] and "not known" in found.warnings[1]
        for url in (reverse("pattern", args=[dreamed.pk]), of(dreamed)):
            assert "may not be used commercially" in client_of(person).get(url).content.decode()

    def test_the_studio_warns_before_the_tile_is_downloaded(self, person, make_pattern, client_of):
        ModelVersion.objects.create(name="art", sha256="ab" * 32, capability="generate", licence="CC-BY-NC-4.0")
        dreamed = make_pattern(person, engine="dreamed", model="art@abababababab")
        free = make_pattern(person)
        page = client_of(person).get(f"/?pattern={dreamed.pk}").content.decode()
        menu = page[page.index('id="downloads"') :]
        assert menu.index("may not be used commercially") < menu.index("data-tile-link")
        assert 'data-licence="art@abababababab may not' in page
        assert " hidden></p>" in client_of(person).get(f"/?pattern={free.pk}").content.decode()

    def test_a_look_and_a_picture_from_words_name_theirs(self, person, make_garment, make_pattern, client_of):
        from studio.imagine.models import Imagining
        from studio.looks.models import Look, LookPart

        for name, what in (("art", "generate"), ("ink", "lora"), ("seer", "surface")):
            ModelVersion.objects.create(name=name, sha256=name * 20, capability=what, licence="non-commercial")
        dreamed = make_pattern(person, engine="dreamed", model="art@" + ("art" * 4))
        job = Job.objects.create(owner=person, kind="wear", state="done", version="seer@" + ("seer" * 3))
        look = Look.objects.create(owner=person, garment=make_garment(), job=job, file="x/a.png", thumb="x/t.webp")
        LookPart.objects.create(look=look, pattern=dreamed, params={})
        page = client_of(person).get(reverse("look", args=[look.pk])).content.decode()
        assert "art@artartartart may not" in page and "seer@seerseerseer may not" in page
        recipe = {"imagine": {"model": None, "loras": ["ink:0.5"], "engine": "diffusion", "prompt": "x", "seed": 1}}
        picture = Imagining.objects.create(
            owner=person, batch=look.pk, params=recipe["imagine"], recipe=recipe, file="x/b.png", thumb="x/t.webp"
        )
        page = client_of(person).get(reverse("imagined", args=[picture.pk])).content.decode()
        assert "ink@inkinkinkink may not" in page

    def test_the_starters_are_free(self):
        from ml_backend.packaging.package import Manifest
        from ml_backend.serving import registry

        reference = Manifest.read(registry.starter_folder("xgan-starter")).reference
        (stamp,) = passport([], [reference]).stamps
        assert stamp.free and stamp.does == "generate" and "Toile" in stamp.licence

    @pytest.mark.parametrize(
        ("licence", "free"),
        [
            ("CC0-1.0", True),
            ("Apache-2.0", True),
            ("CreativeML OpenRAIL-M", True),
            ("cc-by-nc-sa-4.0", False),
            ("FLUX.1 [dev] Non-Commercial License", False),
            ("research-only", False),
            ("for research use", False),
            ("", False),
            ("not stated; read the page it came from before you use its pictures", False),
        ],
    )
    def test_which_licences_let_one_sell(self, licence, free):
        assert is_free(licence) is free
