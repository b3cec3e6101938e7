"""Run in a copy of the project that has one room more: its page, what it makes, and the API's resource of that."""

from __future__ import annotations

import io
from typing import Any

from looking import browser, person, program, say, set_up


def page() -> dict[str, Any]:
    from django.urls import reverse

    answer = browser().get(reverse("postcards"))
    return {"page": [answer.status_code, "Of 0 garments." in answer.content.decode()]}


def written(owner: Any, words: str) -> Any:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from studio.postcards.models import Postcard

    row = Postcard(owner=owner, words=words)
    row.file = default_storage.save(f"{row.folder}/card.png", ContentFile(b"a picture"))
    row.save()
    return row


def made() -> dict[str, Any]:
    from django.core.files.storage import default_storage
    from django.urls import reverse
    from studio.postcards.models import Postcard

    from studio.admin import PAGES

    ana, ben = person(), person("ben")
    card = written(ana, "Greetings")
    own, others, anonymous = browser(ana), browser(ben), browser()
    where = reverse("postcard", args=[card.pk])
    seen = [client.get(where).status_code for client in (own, others, anonymous)]
    files = [client.get(card.file_url).status_code for client in (own, others, anonymous)]
    own.post(reverse("postcard-publish", args=[card.pk]), {"public": "1"})
    published = [client.get(where).status_code for client in (own, others, anonymous)]
    refused = others.post(reverse("postcard-delete", args=[card.pk])).status_code
    own.post(reverse("postcard-delete", args=[card.pk]))
    return {
        "seen": seen,
        "files": files,
        "published": published,
        "refused": refused,
        "left": [Postcard.objects.count(), default_storage.exists(str(card.file))],
        "staff": PAGES.get(Postcard),
    }


def answered() -> dict[str, Any]:
    from django.urls import reverse

    from studio.account.models import User

    ana, ben = User.objects.get(username="ana"), User.objects.get(username="ben")
    card = written(ana, "Again")
    own, other, nobody = program(ana), program(ben), browser()
    one = f"/api/v1/postcards/{card.pk}"
    body = {"data": {"public": True}, "content_type": "application/json"}
    found: dict[str, Any] = {"hidden": [client.get(one).status_code for client in (own, other, nobody)]}
    found["list"] = [row["words"] for row in own.get("/api/v1/postcards").json()["items"]]
    found["file"] = own.get(own.get(one).json()["files"]["file"]).content.decode()
    found["publish"] = [other.patch(one, **body).status_code, own.patch(one, **body).json()["public"]]
    found["public"] = [row["id"] == str(card.pk) for row in other.get("/api/v1/postcards?whose=public").json()["items"]]
    found["delete"] = [client.delete(one).status_code for client in (other, own, own)]
    paths = own.get(reverse("api:openapi-json")).json()["paths"]
    described = {path: sorted(how) for path, how in paths.items() if "postcards" in path}
    return {**found, "described": described}


def kept() -> dict[str, Any]:
    """A guest who made nothing else is no empty one."""
    from datetime import timedelta

    from django.utils import timezone

    from studio import retention
    from studio.account.models import User

    long_ago = timezone.now() - timedelta(days=999)
    guest = User.objects.create_user(username="guest", is_guest=True, date_joined=long_ago)
    card = written(guest, "From nobody")
    gone = [retention.delete_empty_guests()]
    card.delete()
    return {"empty guests": [*gone, retention.delete_empty_guests()]}


def migrated() -> dict[str, Any]:
    from django.core.management import call_command

    said = io.StringIO()
    call_command("makemigrations", "studio", dry_run=True, stdout=said)
    return {"unwritten": said.getvalue().strip()}


set_up("studio")
say({**page(), **made(), **answered(), **kept(), **migrated()})
