"""Opens the day that ``make.py`` wrote, with the same code, and notes what was told about it.

python -m tests.yesterday.note            # writes asked.json, calls.json, commands.json beside it
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .asking import DAY, browser, call, kept, look_at, program, shell, unpack

LISTS = ("photos", "masks", "patterns", "looks", "restyles", "imaginings", "jobs")
COMMANDS = [
    ["generate", "--type", "floral", "--engine", "dcgan", "--seed", "7", "--size", "64"],
    ["generate", "--type", "floral", "--seed", "8", "--size", "64", "--vary-of", "7", "--vary-amount", "0.4"],
    ["generate", "--type", "dotted", "--engine", "dcgan", "--seed", "23", "--size", "64", "--model",
     "ml_backend/weights/dcgan-starter", "--colours-of", "3"],
    ["generate", "--type", "plaid", "--engine", "drawn", "--seed", "3", "--count", "2", "--size", "64", "--palette",
     "#7a1f2b,#f3e9dc,#23395b,#d9c27c"],
]  # fmt: skip


def asked_of_programs(name: str) -> list[str]:
    """Every list, every single thing in them, and every file of those."""
    client, found = program(name), ["/api/v1/options", "/api/v1/garments", "/api/v1/models", "/api/v1/limits"]
    found += ["/api/v1/patterns?whose=public", "/api/v1/patterns?whose=favourites", "/api/v1/jobs?active=true"]
    found += ["/api/v1/patterns?pattern_type=floral&colour=red", "/api/v1/looks?whose=public"]
    for kind in LISTS:
        address = f"/api/v1/{kind}?limit=100"
        found.append(address)
        items = client.get(address).json()["items"]
        found += [one["url"].removeprefix("http://testserver") for one in items[:2]]
        richest = sorted(items, key=lambda one: -len(one.get("files", [])))
        for one in [] if kind == "jobs" else richest[:3] if kind == "photos" else items:
            found += [f"{file.removeprefix('http://testserver')}?download" for file in one["files"].values()]
    return found


def calls() -> list[dict[str, Any]]:
    """What programs and forms ask for; after one another, on the day as it is."""
    rows = {kind: program("ana").get(f"/api/v1/{kind}?limit=100").json()["items"] for kind in LISTS}
    made = [one for one in rows["patterns"] if one["state"] == "done"]
    dreamed = next(one for one in made if one["engine"] == "dcgan" and one["model"].startswith("dcgan"))
    drawn = next(one for one in made if one["engine"] == "drawn")
    mask = next(one for one in rows["masks"] if one["origin"] == "words" and one["state"] == "done")
    photo = next(one for one in rows["photos"] if one["id"] == mask["photo"])
    look = next(one for one in rows["looks"] if one["state"] == "done")
    again = {job["state"]: job["id"] for job in rows["jobs"] if job["kind"] == "generate"}
    fit = {"garments": photo["classes"][:1], "scale_cm": 9, "repeat": "half-drop"}
    other = {"pattern": drawn["id"], "garments": photo["classes"][1:2]}
    posted: list[tuple[str, str, Any]] = [
        ("post", "patterns", {"pattern_type": "floral", "engine": "dcgan", "seed": 7, "count": 2}),
        ("post", "patterns", {"pattern_type": "floral", "seed": 7}),
        ("post", "patterns", {"pattern_type": "plaid", "engine": "drawn", "seed": 3,
                              "palette": ["#7a1f2b", "#f3e9dc"]}),
        ("post", "patterns", {"pattern_type": "dotted", "engine": "dcgan", "seed": 9, "model": "dcgan-starter",
                              "vary_of": 3, "vary_amount": 0.3}),
        ("post", "patterns", {"pattern_type": "dotted", "engine": "dcgan", "seed": 9, "morph_to": 4,
                              "morph_amount": 0.5, "morph_type": "striped", "colours_of": 5}),
        ("post", "patterns", {"pattern_type": "dotted", "engine": "dcgan", "seed": 9, "detail_of": 4}),
        ("post", "patterns", {"pattern_type": "dotted", "engine": "drawn", "seed": 9, "detail_of": 4}),
        ("post", "patterns", {"pattern_type": "dotted", "engine": "drawn", "seed": 9, "model": "dcgan-starter"}),
        ("post", "patterns", {"pattern_type": "dotted", "engine": "loom"}),
        ("post", f"patterns/{dreamed['id']}/colourways", {"palette": ["#101820", "#f2aa4c", "#ffffff"]}),
        ("post", f"patterns/{dreamed['id']}/large", {}),
        ("patch", f"patterns/{dreamed['id']}", {"public": True}),
        ("post", "looks", {"pattern": dreamed["id"], "garment": "dress", "scale_cm": 18, "repeat": "mirror"}),
        ("post", "looks", {"parts": [{"pattern": dreamed["id"], **fit}, other], "photo": photo["id"]}),
        ("patch", f"looks/{look['id']}", {"public": False}),
        ("post", "photos/copies", {"look": look["id"]}),
        ("post", "masks", {"photo": photo["id"], "prompt": "the top", "grow": 0.5}),
        ("post", "restyles", {"photo": photo["id"], "mask": mask["id"], "prompt": "blue denim", "seed": 3}),
        ("post", "restyles", {"photo": photo["id"], "region": "the top", "prompt": "lace", "seed": 3, "steps": 3,
                              "engine": "diffusion", "strength": 0.8, "count": 2}),
        ("post", "imaginings", {"prompt": "a red dress", "seed": 4, "engine": "fabric", "size": 128}),
        ("post", "imaginings", {"prompt": "a red dress", "seed": 4, "engine": "diffusion", "guidance": 4}),
        ("post", f"jobs/{again['queued']}/cancel", {}),
        ("post", f"jobs/{again['failed']}/retry", {}),
        ("delete", f"patterns/{drawn['id']}", {}),
    ]  # fmt: skip
    found = []
    for method, path, body in posted:
        address = f"/api/v1/{path}"
        answer = call(program("ana"), method, address, body)
        found.append({"by": "program", "method": method, "address": address, "body": body, "answer": answer})
    sent: list[tuple[str, dict[str, Any]]] = [
        ("/fabrics/", {"pattern_type": "floral", "engine": "dcgan", "seed": 70, "count": 1, "next": "/?engine=dcgan"}),
        ("/fabrics/", {"pattern_type": "plaid", "engine": "drawn", "seed": 70, "count": 2, "next": "/?type=plaid"}),
        ("/fabrics/", {"pattern_type": "plaid", "engine": "loom"}),
        ("/fabrics/", {"pattern_type": "floral", "engine": "dcgan", "like": dreamed["id"], "count": 1}),
        ("/fabrics/mix/make/", {"of": dreamed["id"], "move": "blend", "seed": 3, "amount": 0.4}),
        ("/looks/", {"pattern": dreamed["id"], "on": "dress", "scale_cm": 12, "format": "jpeg", "next": "/?on=dress"}),
        ("/restyle/ask/", {"photo": photo["id"], "mask": mask["id"], "prompt": "linen", "engine": "fabric", "seed": 1}),
        ("/imagine/ask/", {"prompt": "a blue skirt", "engine": "fabric", "seed": 1, "count": 1, "size": 128}),
    ]  # fmt: skip
    for address, body in sent:
        answer = call(browser("ana"), "post", address, body, form=True)
        found.append({"by": "form", "method": "post", "address": address, "body": body, "answer": answer})
    return found


def main() -> None:
    data = Path(tempfile.mkdtemp(prefix="toile-day-"))
    environment = {"TOILE_DATA_DIR": str(data), "TOILE_BROKER_URL": "memory://", "TOILE_LOG_LEVEL": "ERROR"}
    os.environ |= {**environment, "DJANGO_SETTINGS_MODULE": "fashion_site.settings"}
    (data / "secret-key").write_text((DAY / "secret-key").read_text())
    unpack(data)
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()
    asked = [
        {"by": "browser", "who": who, "address": address, "answer": look_at(browser(who), address)}
        for who, addresses in kept("addresses.json").items()
        for address in addresses
    ]
    asked += [
        {"by": "program", "who": who, "address": address, "answer": look_at(program(who), address)}
        for who in ("ana", "ben")
        for address in asked_of_programs(who)
    ]
    write("asked.json", asked)
    write("calls.json", calls())
    lines = [{"line": line, "answer": shell(line, data / str(number))} for number, line in enumerate(COMMANDS)]
    write("commands.json", lines)


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """A line for each."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    (DAY / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
