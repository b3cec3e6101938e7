"""Run in a copy of the project that has one engine more: prints as JSON where it is found, and what it made."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from looking import browser, person, program, say, set_up
from PIL import Image

NEW = "dye"


def picture(colour: tuple[int, int, int]) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (300, 400), colour).save(file, "PNG")
    file.seek(0)
    file.name = "picture.png"
    return file


def made() -> dict[str, Any]:
    from django.urls import reverse

    from ml_backend.serving import jobs

    ana = person()
    api, visitor = program(ana), browser(ana)
    photo = api.post("/api/v1/photos", {"image": picture((200, 190, 180))}).json()
    api.post(f"/api/v1/jobs/{photo['job']}/cancel")  # no cloth needs to be found
    mask = api.post("/api/v1/masks/upload", {"photo": photo["id"], "mask": picture((255, 255, 255))}).json()
    asked = {"photo": photo["id"], "mask": mask["id"], "prompt": "indigo", "engine": NEW, "seed": 3}
    answered = api.post("/api/v1/restyles", asked, content_type="application/json")
    jobs.work_off(jobs.QUEUES, beating=False)
    one = api.get(answered.json()["items"][0]["url"]).json()
    description = api.get(reverse("api:openapi-json")).json()
    page = visitor.get(reverse("restyle")).content.decode()
    return {
        "page": [f'value="{NEW}" data-heeds="strength"' in page, "dyed in one colour" in page],
        "enum": NEW in json.dumps(description["components"]["schemas"]["NewRestyle"]["properties"]["engine"]),
        "choices": api.get("/api/v1/options").json()["restyle_engines"],
        "answered": answered.status_code,
        "state": one["state"],
        "recipe": [one["recipe"]["restyle"][name] for name in ("engine", "seed", "strength")],
        "its page": "in the dye bath" in visitor.get(reverse("restyled", args=[one["id"]])).content.decode(),
        "torch": "torch" in sys.modules,
    }


def shell() -> dict[str, Any]:
    from ml_backend.cli import main

    Path("photo.png").write_bytes(picture((200, 190, 180)).read())
    Path("mask.png").write_bytes(picture((255, 255, 255)).read())
    asked = ["--mask", "mask.png", "--prompt", "indigo", "--seed", "3", "--engine", NEW, "--out", "dyed"]
    return {"shell": main(["restyle", "photo.png", *asked]), "files": [path.name for path in Path("dyed").iterdir()]}


set_up()
say({**made(), **shell()})
