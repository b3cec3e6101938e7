"""The picture that stands for a pattern type."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from ml_backend.requests import PATTERN_TYPES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", PATTERN_TYPES)
@pytest.mark.parametrize("side", [128, 512])
def test_anybody_sees_every_type_and_may_keep_it(client: Client, name: str, side: int) -> None:
    response = client.get(reverse("type-picture", args=[name, side]))
    assert response.headers["Content-Type"] == "image/webp"
    assert "public" in response.headers["Cache-Control"]
    assert "Set-Cookie" not in response.headers
    picture = Image.open(io.BytesIO(response.content))
    assert picture.size == (side, side)
    assert len(set(picture.convert("RGB").resize((16, 16)).get_flattened_data())) > 1


@pytest.mark.parametrize("address", ["houndstooth-128", "floral-127", "floral-4096", "floral"])
def test_there_is_no_other_picture(client: Client, address: str) -> None:
    assert client.get(f"/gallery/types/{address}.webp").status_code == 404


def test_pictures_are_only_looked_at(client: Client) -> None:
    assert client.post(reverse("type-picture", args=["floral", 128])).status_code == 405
