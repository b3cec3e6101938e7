"""Run in a copy of the project that has one generator more: trains it for two steps, keeps it and dreams with it."""

from __future__ import annotations

import io
from typing import Any

from looking import browser, person, program, say, set_up

NEW = "weft"


def kept() -> dict[str, Any]:
    from django.core.management import call_command

    from ml_backend.cli import main

    trained = main(["train", f"ml_backend/training/recipes/{NEW}.json", "--run-dir", f"runs/{NEW}"])
    call_command("add_model", f"runs/{NEW}/packages/000002", stdout=io.StringIO())
    call_command("models", "offer", NEW, stdout=io.StringIO())
    return {"trained": trained}


def dreamed() -> dict[str, Any]:
    from ml_backend.serving import jobs, registry

    (offer,) = [offer.reference for offer in registry.offered("generate") if offer.name == NEW]
    ana = person()
    api = program(ana)
    asked = {"pattern_type": "floral", "count": 1, "seed": 7, "model": offer}
    answered = api.post("/api/v1/patterns", asked, content_type="application/json")
    jobs.work_off(jobs.QUEUES, beating=False)
    row = api.get("/api/v1/patterns").json()["items"][0]
    page = browser(ana).get("/").content.decode()
    return {
        "answered": answered.status_code,
        "dreamed": [row["state"], row["engine"], row["model"] == offer],
        "chosen on the page": f'value="{offer}"' in page,
        "models": offer in api.get("/api/v1/models").content.decode(),
    }


set_up()
say({**kept(), **dreamed()})
