"""Run in a copy of the project that has one garment more: brings it in, wears a fabric on it, and says its name."""

from __future__ import annotations

from typing import Any

from looking import browser, person, program, say, set_up

NEW = "apron"


def brought_in() -> dict[str, Any]:
    """Those that ship take seconds each to measure: only the new one is loaded."""
    from studio.gallery import starters

    folder = starters.GARMENTS / NEW
    return {"loaded": [starters.load_garment(folder), starters.load_garment(folder)]}


def worn() -> dict[str, Any]:
    from ml_backend.serving import jobs

    ana = person()
    api = program(ana)
    asked = {"pattern_type": "dotted", "count": 1, "seed": 7, "engine": "drawn"}
    pattern = api.post("/api/v1/patterns", asked, content_type="application/json").json()["items"][0]
    look = api.post("/api/v1/looks", {"pattern": pattern["id"], "garment": NEW}, content_type="application/json").json()
    imagined = {"prompt": "a striped apron in navy blue and white", "engine": "fabric", "size": 256}
    api.post("/api/v1/imaginings", imagined, content_type="application/json")
    jobs.work_off(jobs.QUEUES, beating=False)
    picture = api.get("/api/v1/imaginings").json()["items"][0]
    return {
        "studio": f'"{NEW}"' in browser().get("/").content.decode(),
        "api": NEW in [one["slug"] for one in api.get("/api/v1/garments").json()["items"]],
        "look": api.get(look["url"]).json()["state"],
        "imagined": [picture["state"], picture["width"], picture["notes"]],
    }


set_up()
say({**brought_in(), **worn()})
