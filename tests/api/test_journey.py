"""One person's program from an upload to a download, with nothing but HTTP."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from ml_backend.serving import jobs

pytestmark = pytest.mark.django_db


def test_upload_mask_restyle_poll_download(program, stand_ins, picture):
    def follow(job: str) -> str:
        """Poll as a program does, while a worker takes one job after another."""
        for _ in range(10):
            state = program.get(f"/jobs/{job}").json()["state"]
            if state not in ("queued", "running"):
                return state
            jobs.work_off(jobs.QUEUES, beating=False, most=1)
        raise AssertionError("The job does not end.")

    photo = program.upload("/photos", key="photo", image=SimpleUploadedFile("me.jpg", picture(240, 320))).json()
    mask = program.post("/masks", {"photo": photo["id"], "prompt": "the dress"}, key="mask").json()
    assert follow(mask["job"]) == "done"
    found = program.get(f"/masks/{mask['id']}").json()["found"]
    assert found[0]["confidence"] > 0.5

    wanted = {"photo": photo["id"], "mask": mask["id"], "prompt": "a long skirt, bright colours", "count": 2, "seed": 7}
    batch = program.post("/restyles", wanted, key="restyle").json()
    assert program.post("/restyles", wanted, key="restyle").json() == batch
    assert follow(batch["job"]["id"]) == "done"

    for result in program.get(f"/jobs/{batch['job']['id']}").json()["results"]:
        made = program.client.get(result["url"], headers=program.headers).json()
        file = program.client.get(made["files"]["file"], headers=program.headers)
        assert file.headers["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(file.content)).size == (240, 320)
    assert program.get("/restyles").json()["total"] == 2
    # The next photo is what was made of this one.
    copy = program.post("/photos/copies", {"restyle": batch["items"][0]["id"]}).json()
    assert (copy["width"], copy["height"]) == (240, 320)
    assert program.get("/photos").json()["total"] == 2
