"""Makes a small day's work of a few people and writes it down, for every later version of Toile to open.

    python -m tests.yesterday.make            # writes tests/yesterday/day/

This is the day as the code of the commit in ``day/made-with.txt`` made it; later code opens it and does not make it
again.  To write down another day, of later code, give it a folder of its own: what people made is not to be replaced.

What is written::

    rows.sql              the database, as SQL
    before-outfits.sql    a database of before looks had parts (studio 0005): one person, one fabric, one look
    files.tar.xz          the folder ``files``, of small pictures
    secret-key            the key of the sessions and of the words in addresses
    people.json           names, passwords, session cookies, API tokens
    addresses.json        what each of them may have kept a bookmark of
    asked.json            every address that was asked for, by whom, and what was told
    calls.json            calls of the API that make something: method, address, body, answer
    commands.json         command lines, and what they printed
    requests.json         one of each request of the library, as its ``to_dict`` tells it
    jobs.json             every job: kind, state, request, whether it is retried
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DAY = HERE / "day"
PASSWORD = "s3wing-kit-42"

data = Path(tempfile.mkdtemp(prefix="toile-day-"))
os.environ |= {
    "TOILE_DATA_DIR": str(data),
    "TOILE_BROKER_URL": "memory://",
    "DJANGO_SETTINGS_MODULE": "fashion_site.settings",
    "TOILE_LOG_LEVEL": "ERROR",
}
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from PIL import Image  # noqa: E402
from studio.services import mending, photos, tapping  # noqa: E402

from ml_backend import jobs, registry, requests  # noqa: E402
from ml_backend.models import Job  # noqa: E402
from ml_backend.requests import GenerateRequest, OverlayRequest, RestyleRequest, TextMaskRequest  # noqa: E402
from patterns import mixing, services  # noqa: E402
from patterns.models import Pattern  # noqa: E402
from patterns.moderation import take_down  # noqa: E402
from studio import outfits, restyling, said, starters  # noqa: E402
from studio import services as making  # noqa: E402
from studio.api import tokens  # noqa: E402
from studio.models import Garment, Imagining, Look, Mask, Photo, User  # noqa: E402

SIDE = 64
"""Pixels of a tile: small ones say as much."""
STATES = ("done", "failed", "cancelled", "running", "queued")
"""The order matters: a worker takes what waits longest, so what is to stay waiting comes last."""
FAR = "2099-01-01 00:00:00"


# --- the day ------------------------------------------------------------------------------------------------------


def migrate() -> None:
    call_command("migrate", verbosity=0)


def person(name: str) -> tuple[User, Client]:
    """Somebody who signs up on the page."""
    client = Client()
    words = {"username": name, "email": f"{name}@toile.example", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/sign-up/", words).status_code == 302
    return User.objects.get(username=name), client


def small_garment(slug: str) -> None:
    """A garment of the house, small."""
    folder = Path(tempfile.mkdtemp()) / slug
    shutil.copytree(starters.GARMENTS / slug, folder)
    meta = json.loads((folder / "meta.json").read_text())
    for name in ("photo.webp", "mask.png", "labels.png", "light.webp", "pieces.png"):
        with Image.open(folder / name) as image:
            size = (round(image.width / 8), round(image.height / 8))
            how = Image.Resampling.NEAREST if name in ("labels.png", "pieces.png") else Image.Resampling.LANCZOS
            image.resize(size, how).save(folder / name)
    meta |= {"px_per_cm": meta["px_per_cm"] / 8, "width": size[0], "height": size[1]}
    (folder / "meta.json").write_text(json.dumps(meta))
    starters.load_garment(folder)


def clothes() -> bytes:
    """A photo of a T-shirt and trousers, 96 by 160."""
    picture = Image.new("RGB", (96, 160), (235, 235, 235))
    top = 6
    for slug, height in (("t-shirt", 67), ("trousers", 80)):
        folder = starters.GARMENTS / slug
        with Image.open(folder / "photo.webp") as photo, Image.open(folder / "mask.png") as mask:
            one = photo.convert("RGB").crop(mask.convert("L").getbbox())
        one.thumbnail((86, height))
        picture.paste(one, ((96 - one.width) // 2, top))
        top += one.height - 4
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=90)
    return target.getvalue()


def photo_of(owner: User, client: Client, state: str = "done") -> Photo:
    from django.core.files.uploadedfile import SimpleUploadedFile

    photo = photos.add_photo(owner, SimpleUploadedFile("me.jpg", clothes()))
    end(photo.job, state)
    photo.refresh_from_db()
    return photo


def end(job: Job | None, state: str) -> None:
    """Let the newest job come to ``state``."""
    assert job is not None
    if state == "queued":
        return
    if state == "cancelled":
        assert jobs.cancel(job)
        return
    claim = jobs.claim(jobs.QUEUES)
    assert claim is not None and claim.job.pk == job.pk, (claim, job)
    if state == "failed":
        jobs.fail(claim, jobs.BROKE)
    elif state == "running":
        jobs.report(claim, 0.4, "At work")
    else:
        jobs.run(claim)
        job.refresh_from_db()
        assert job.state == "done", (job.kind, job.message)


def fabric(
    owner: User, kind: str = "floral", seed: int = 7, state: str = "done", parent: Any = None, **more: Any
) -> Pattern:
    wanted = GenerateRequest(kind, seed, **{"size": SIDE, **more})
    row = services.ask(owner, wanted, parent=parent)
    end(row.job, "done")
    row.refresh_from_db()
    return row


def mixed(owner: User, wanted: mixing.Mixed) -> Pattern:
    row = services.ask(owner, wanted.request, parent=wanted.parent, partner=wanted.partner)
    end(row.job, "done")
    row.refresh_from_db()
    return row


def fabrics(ana: User, ben: User, sara: User, names: dict[str, str]) -> dict[str, Pattern]:
    rows = {
        "xgan": fabric(ana, "floral", 7),
        "xgan named": fabric(ana, "striped", 20, model=names["xgan-starter"]),
        "dcgan": fabric(ana, "floral", 7, model=names["dcgan-starter"]),
        "dcgan other": fabric(ana, "dotted", 23, model=names["dcgan-starter"]),
        "drawn": fabric(ana, "plaid", 3, engine="drawn", palette=("#7a1f2b", "#f3e9dc", "#23395b", "#d9c27c")),
        "drawn kin": fabric(ana, "paisley", 13, engine="drawn", vary_of=12, vary_amount=0.4),
        "published": fabric(ana, "zigzag", 10),
        "taken down": fabric(ana, "animal", 8, engine="drawn"),
        "ben's": fabric(ben, "geometric", 5),
        "large": fabric(ana, "dotted", 7, engine="drawn"),
        "retired": fabric(ana, "abstract", 3),
        "of before web": fabric(ana, "camouflage", 6, engine="drawn"),
    }
    one = rows["xgan"]
    rows["kin"] = fabric(ana, "floral", 8, parent=one, vary_of=7, vary_amount=0.4, palette=tuple(one.palette))
    rows["blend"] = mixed(ana, mixing.blends(one, mixing.Other.of(rows["xgan named"]), [0.25])[0])
    rows["drawing"] = mixed(ana, mixing.drawing(one, mixing.Other("floral", 25)))
    rows["colourway"] = services.recolour(ana, one, ("#101820", "#f2aa4c", "#ffffff", "#66704f"))
    rows["colours of"] = services.recolour(ana, one, tuple(rows["drawn"].palette), rows["drawn"])
    rows["in colours of"] = fabric(ana, "floral", 31, colours_of=20)
    services.ask_large(rows["large"], size=128)
    end(rows["large"].large_job, "done")
    for name in ("published", "taken down", "ben's"):
        services.publish(rows[name], True)
    take_down(rows["taken down"], "It shows a mark that is somebody's own")
    for name in ("published", "drawn"):
        services.favourite(ana, rows[name], True)
    services.favourite(ben, rows["published"], True)
    Pattern.objects.filter(pk=rows["retired"].pk).update(model="loom-of-old@0123456789ab")
    Pattern.objects.filter(pk=rows["of before web"].pk).update(web="")
    return rows


def looks(ana: User, photo: Photo, rows: dict[str, Pattern], dress: Garment) -> dict[str, Look]:
    def worn(parts: list[Any], on: Any, format: str = "png") -> Look:
        look = making.ask_outfit(ana, parts, on, format)
        end(look.job, "done")
        look.refresh_from_db()
        return look

    first, second = photo.classes[:2]
    half = OverlayRequest((first,), scale_cm=9.0, rotate=30.0, repeat="half-drop")
    made = {
        "dress": worn([(rows["xgan"], OverlayRequest(scale_cm=18.0, offset_x=0.25, strength=0.8))], dress),
        "photo": worn([(rows["drawn"], OverlayRequest(scale_cm=12.0))], photo, "jpeg"),
        "outfit": worn([(rows["dcgan"], half), (rows["drawn"], OverlayRequest((second,), scale_cm=20.0))], photo),
        "published": worn([(rows["published"], OverlayRequest())], dress),
        "taken down": worn([(rows["blend"], OverlayRequest())], dress),
    }
    for name in ("published", "taken down"):
        making.publish(made[name], True)
    take_down(made["taken down"], "Too like another")
    return made


def words(ana: User, photo: Photo) -> dict[str, Any]:
    """Masks, restyles and imaginings, by both engines."""
    mask = making.ask_mask(ana, photo, TextMaskRequest("the trousers"))
    end(mask.job, "done")
    mask.refresh_from_db()
    brushed = making.add_mask(ana, photo, upload_mask())
    woven = making.ask_restyle(ana, photo, mask, RestyleRequest("small flowers in red and pink on white", 7), 2)
    end(woven[0].job, "done")
    wanted = RestyleRequest(
        "a red plaid wool", 9, engine="diffusion", steps=3, size=64, strength=0.9, guidance=4.0, negative_prompt="lace",
        scheduler="euler", sketch="none",
    )  # fmt: skip
    painted = making.ask_restyle(ana, photo, brushed, wanted)
    end(painted[0].job, "done")
    sewn = making.ask_imagine(ana, imagine("a red dress with white dots", 7, engine="fabric", size=128), 2)
    end(sewn[0].job, "done")
    dreamt = making.ask_imagine(ana, imagine("a wool coat in green tartan", 11, steps=1, size=64, guidance=3.0))
    end(dreamt[0].job, "done")
    refused = making.ask_imagine(ana, imagine("a veil", 12, steps=1, size=64))
    jobs.cancel(refused[0].job)
    Imagining.objects.filter(pk=refused[0].pk).update(refused="This picture was not shown: it may be unsuitable.")
    made = {"mask": mask, "brushed": brushed, "woven": woven[0], "woven too": woven[1], "painted": painted[0]}
    made |= {"sewn": sewn[0], "sewn too": sewn[1], "dreamt": dreamt[0], "refused": refused[0]}
    for row in made.values():
        row.refresh_from_db()
    for name in ("woven", "sewn"):
        making.publish(made[name], True)
    making.publish(made["dreamt"], True)
    take_down(made["dreamt"], "Unkind")
    return made


def imagine(prompt: str, seed: int, **more: Any) -> requests.ImagineRequest:
    return requests.ImagineRequest(prompt, seed, **more)


def upload_mask() -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    image = Image.new("L", (96, 160), 0)
    image.paste(255, (20, 10, 76, 70))
    target = io.BytesIO()
    image.save(target, "PNG")
    return SimpleUploadedFile("mask.png", target.getvalue())


def every_job(ana: User, client: Client, rows: dict[str, Pattern], photo: Photo, mask: Mask, dress: Garment) -> None:
    """One job of each kind in each state, beside those that the rest of the day left."""

    def upscale(state: str) -> Job | None:
        row = fabric(ana, "striped", 100 + STATES.index(state), engine="drawn")
        return services.ask_large(row, size=128)

    def mend(state: str) -> Job | None:
        one = photo_of(ana, client)
        mending.ask_mend(ana, one, one.classes[0], upload_mask())
        one.refresh_from_db()
        return one.job

    def tap(state: str) -> Job | None:
        one = photo_of(ana, client)
        return tapping.ask_tap(ana, one, requests.TapRequest(96, 160, ((48, 40, True),), one.classes[0])).job

    def generate(state: str) -> Job | None:
        engine = "drawn" if state in ("running", "failed") else "dcgan"
        return services.ask(ana, GenerateRequest("floral", 200 + STATES.index(state), size=SIDE, engine=engine)).job

    fit = OverlayRequest(scale_cm=14.0)
    kinds: dict[str, Callable[[str], Job | None]] = {
        "generate": generate,
        "upscale": upscale,
        "segment": lambda state: photos.add_photo(ana, upload_photo()).job,
        "text-mask": lambda state: making.ask_mask(ana, photo, TextMaskRequest("the top")).job,
        "restyle": lambda state: making.ask_restyle(ana, photo, mask, RestyleRequest("blue denim", 3))[0].job,
        "imagine": lambda state: making.ask_imagine(ana, imagine("a skirt", 3, engine="fabric", size=128))[0].job,
        "wear": lambda state: making.ask_look(ana, rows["drawn"], dress, fit).job,
        "mend": mend,
        "tap": tap,
    }
    waiting = []
    for state in STATES[:-1]:
        for ask in kinds.values():
            end(ask(state), state)
    for ask in kinds.values():
        waiting.append(ask("queued"))
        Job.objects.filter(pk=waiting[-1].pk).update(queue="aside")  # lest the next one's photo takes it first
    Job.objects.filter(queue="aside").update(queue="default")
    # One that waits for another: a look of a fabric that is still to be made.
    making.ask_look(ana, services.ask(ana, GenerateRequest("zigzag", 300, size=SIDE)), dress, fit)


def upload_photo() -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("me.jpg", clothes())


def small_thumbs() -> None:
    """The thumbnails of the fabrics are most of the day's bytes, and no smaller for a small tile."""
    for path in (data / "files" / "patterns").glob("*/*thumb.webp"):
        with Image.open(path) as image:
            image.resize((SIDE, SIDE)).save(path, "WEBP", quality=60)


# --- written down -------------------------------------------------------------------------------------------------


def write(name: str, value: Any) -> None:
    (DAY / name).write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n", encoding="utf-8")


def dump(path: Path, target: Path) -> None:
    with sqlite3.connect(path) as database:
        target.write_text("\n".join(database.iterdump()) + "\n", encoding="utf-8")


def main() -> None:
    setup_test_environment()
    migrate()
    small_garment("dress")
    ana, at_ana = person("ana")
    ben, at_ben = person("ben")
    sara, at_sara = person("sara")
    User.objects.filter(pk=sara.pk).update(is_staff=True, is_superuser=True)
    names = {offer.name: offer.reference for offer in registry.offered("generate")}
    at_guest = Client()
    at_guest.get("/")
    at_guest.post("/fabrics/", {"pattern_type": "dotted", "engine": "drawn", "count": 1, "seed": 5})
    guest = User.objects.get(is_guest=True)
    Pattern.objects.filter(owner=guest).update(size=SIDE)
    end(guest.jobs.get(), "done")
    texts = {who.username: tokens.make(who, "of yesterday")[1] for who in (ana, ben)}

    dress = Garment.objects.get(slug="dress")
    photo = photo_of(ana, at_ana)
    copied = photos.photo_of(ana, dress)
    rows = fabrics(ana, ben, sara, names)
    worn = looks(ana, photo, rows, dress)
    made = words(ana, photo)
    at_sara.post(f"/window/{rows['published'].pk}/", {"on": "dress"})
    every_job(ana, at_ana, rows, photo, made["mask"], dress)

    small_thumbs()
    shutil.rmtree(DAY, ignore_errors=True)
    DAY.mkdir()
    people = {}
    for name, who, client in (
        ("ana", ana, at_ana),
        ("ben", ben, at_ben),
        ("sara", sara, at_sara),
        ("guest", guest, at_guest),
    ):
        key = client.cookies["sessionid"].value
        people[name] = {"username": who.username, "session": key, "password": PASSWORD, "token": texts.get(name)}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_session SET expire_date = %s", [FAR])
    connection.close()
    version = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    (DAY / "made-with.txt").write_text(version.stdout)
    write("people.json", people)
    shutil.copy(data / "secret-key", DAY / "secret-key")
    pack(data / "files", DAY / "files.tar.xz")
    dump(data / "toile.sqlite3", DAY / "rows.sql")
    before_outfits(data / "toile.sqlite3", DAY / "before-outfits.sql", worn["dress"])
    write("jobs.json", [
        {"id": str(job.pk), "kind": job.kind, "state": job.state, "request": job.request, "queue": job.queue,
         "owner": job.owner.username}
        for job in Job.objects.order_by("created_at").select_related("owner")
    ])  # fmt: skip
    write("requests.json", every_request())
    write("addresses.json", addresses(rows, worn, made, photo, copied, guest))


def pack(folder: Path, target: Path) -> None:
    """One file for hundreds, in which equal ones take no room."""
    with tarfile.open(target, "w:xz", preset=9) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.add(path, path.relative_to(folder.parent).as_posix())


def before_outfits(today: Path, target: Path, look: Look) -> None:
    """A database as it was when a look had one pattern and no parts, with one look in it."""
    folder = Path(tempfile.mkdtemp())
    for wanted in (["studio", "0005"], ["sessions"]):
        line = [sys.executable, "manage.py", "migrate", *wanted, "--verbosity", "0"]
        subprocess.run(line, cwd=ROOT, env={**os.environ, "TOILE_DATA_DIR": str(folder)}, check=True)
    part = look.parts.get()
    with sqlite3.connect(folder / "toile.sqlite3") as database:
        database.execute("ATTACH ? AS today", [str(today)])
        copy(database, "studio_user", f"id = {look.owner_id}")
        copy(database, "django_session", "1")
        copy(database, "studio_garment", "1")
        copy(database, "patterns_pattern", f"id = '{part.pattern_id.hex}'", job_id=None)
        copy(database, "studio_look", f"id = '{look.pk.hex}'", job_id=None, pattern_id=part.pattern_id.hex,
             params=json.dumps(part.params))  # fmt: skip
        database.commit()
    dump(folder / "toile.sqlite3", target)


def copy(database: sqlite3.Connection, table: str, which: str, **instead: Any) -> None:
    """Rows of today as far as their columns were there before; ``instead`` gives those that were other."""
    names = [[row[1] for row in database.execute(f"PRAGMA {where}.table_info({table})")] for where in ("main", "today")]
    both = [name for name in names[0] if name in names[1] and name not in instead]
    columns = ", ".join(f'"{name}"' for name in [*both, *instead])
    values = ", ".join([*(f'"{name}"' for name in both), *("?" for _ in instead)])
    chosen = f"SELECT {values} FROM today.{table} WHERE {which}"
    database.execute(f"INSERT INTO main.{table} ({columns}) {chosen}", [*instead.values()])


def every_request() -> dict[str, Any]:
    """By the name of its class."""
    one = GenerateRequest(
        "floral", 7, size=256, palette=("#7a1f2b", "#f3e9dc"), model="xgan-starter@0123456789ab", vary_of=3,
        vary_amount=0.25, morph_to=9, morph_amount=0.5, morph_type="striped", colours_of=11,
    )  # fmt: skip
    fit = OverlayRequest(("top-2",), 9.0, 30.0, 0.25, -0.5, "half-drop", 0.8, 42.0)
    mask = TextMaskRequest("the dress, not the belt", "minmax", 0.4, 1.0, 0.5, False, "clipseg@01")
    restyle = RestyleRequest(
        "plaid", 7, "diffusion", "lace", 12, 5.0, 512, 0.7, "dpm++", ("linen:0.8",), "m@01", "fabric"
    )
    made = {
        "GenerateRequest": one,
        "OverlayRequest": fit,
        "OutfitRequest": requests.OutfitRequest((fit, OverlayRequest(("skirt",)))),
        "TapRequest": requests.TapRequest(96, 160, ((3, 4, True), (5, 6, False)), "top", "unet@01"),
        "TextMaskRequest": mask,
        "RestyleRequest": restyle,
        "ImagineRequest": requests.ImagineRequest(
            "a coat", 7, "lace", 12, 5.0, 512, "lcm", ("linen:0.8",), "m@01", "fabric"
        ),
    }
    drawn = GenerateRequest("plaid", 3, engine="drawn")
    return {**{name: value.to_dict() for name, value in made.items()}, "GenerateRequest drawn": drawn.to_dict()}


def addresses(rows: Any, worn: Any, made: Any, photo: Photo, copied: Photo, guest: User) -> dict[str, list[str]]:
    """What each of them may have kept a bookmark of."""
    first, second = photo.classes[:2]
    other = outfits.written(outfits.Worn(rows["drawn"].pk, OverlayRequest((second,), scale_cm=20.0)))
    part = f"pattern={rows['dcgan'].pk}&garments={first}&scale_cm=9&wear={other}"
    ana = [
        "/", "/?type=plaid&engine=dcgan", "/?type=plaid&engine=drawn", "/?engine=dcgan&model=dcgan-starter",
        "/account/",
        f"/?look={worn['outfit'].pk}", f"/?look={worn['dress'].pk}", f"/?look={worn['published'].pk}",
        f"/?pattern={rows['xgan'].pk}&on=dress&repeat=mirror&scale_cm=22&rotate=45&offset_x=0.25&strength=0.6",
        f"/?photo={photo.pk}&{part}", f"/?pattern={rows['drawn'].pk}&with={rows['xgan'].pk}", "/?pattern=none&on=dress",
        f"/?photo={copied.pk}", f"/fabrics/mix/?of={rows['xgan'].pk}&with={rows['xgan named'].pk}",
        f"/fabrics/{rows['large'].pk}/large/", f"/fabrics/cells/?id={rows['xgan'].pk}&id={rows['drawn'].pk}",
        "/restyle/", f"/restyle/?photo={photo.pk}", f"/restyle/?look={worn['dress'].pk}", "/restyle/?garment=dress",
        f"/restyle/?restyle={made['woven'].pk}", f"/restyle/?mask={made['mask'].pk}",
        f"/restyle/?remix={made['painted'].pk}", f"/restyle/?remix={made['woven'].pk}",
        f"/restyle/?batch={made['woven'].batch}", f"/restyle/batch/{made['woven'].batch}/zip/",
        f"/restyle/?photo={photo.pk}&preset={said.key_of(restyling.PRESETS[0].prompt)}",
        "/imagine/", f"/imagine/?remix={made['sewn'].pk}", f"/imagine/?again={made['dreamt'].pk}",
        f"/imagine/?remix={made['dreamt'].pk}&engine=fabric", f"/imagine/?said={said.key_of(made['sewn'].prompt)}",
        f"/imagine/batch/{made['sewn'].batch}/", f"/imagine/batch/{made['sewn'].batch}/zip/",
        "/gallery/", "/gallery/?whose=mine", "/gallery/?whose=favourites", "/gallery/?type=zigzag&colour=red",
        "/gallery/looks/", "/gallery/looks/?whose=mine", "/gallery/restyled/", "/gallery/restyled/?whose=mine",
        "/gallery/imagined/?whose=mine", f"/photos/{photo.pk}/status/", f"/photos/{photo.pk}/garments/{first}/",
        f"/looks/{worn['dress'].pk}/status/", "/accounts/tokens/",
        f"/gallery/looks/{worn['outfit'].pk}/", f"/gallery/looks/{worn['taken down'].pk}/",
        f"/restyle/{made['painted'].pk}/", f"/restyle/{made['woven'].pk}/", f"/imagine/{made['sewn'].pk}/",
        f"/imagine/{made['dreamt'].pk}/", f"/imagine/{made['refused'].pk}/",
        *(f"/gallery/{row.pk}/" for row in rows.values()),
    ]  # fmt: skip
    everybody = [
        "/", "/gallery/", f"/gallery/{rows['published'].pk}/", f"/gallery/{rows['taken down'].pk}/",
        f"/gallery/{rows['xgan'].pk}/", f"/gallery/looks/{worn['published'].pk}/",
        f"/gallery/looks/{worn['dress'].pk}/",
        f"/restyle/{made['woven'].pk}/", f"/imagine/{made['sewn'].pk}/", f"/?look={worn['published'].pk}",
        f"/files/photos/{photo.pk}/image", f"/files/patterns/{rows['published'].pk}/tile",
    ]  # fmt: skip
    staff = ["/admin/", "/admin/patterns/pattern/", f"/admin/patterns/pattern/{rows['dcgan'].pk}/change/",
             "/admin/studio/look/"]  # fmt: skip
    return {
        "ana": ana, "ben": [*everybody, "/gallery/?whose=favourites"], "nobody": everybody,
        "guest": ["/", "/gallery/?whose=mine", "/account/"], "sara": [*everybody, *staff],
    }  # fmt: skip


if __name__ == "__main__":
    main()
