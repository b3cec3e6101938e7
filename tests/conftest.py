"""What the database tests share: files in a temporary folder, a broker in memory, and rows made quickly."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings as hypothesis

if TYPE_CHECKING:
    from django.test import Client

    from patterns.models import Pattern
    from studio.account.models import User
    from studio.photos.models import Garment, Photo


# Nobody waits for a page here: workers that tests start go side by side with the tests.
os.environ.setdefault("TOILE_WORKER_NICE", "0")
# No test is timed: what takes long on a busy machine is not wrong.  What must hold before a change lands is judged by
# the same examples each time; whoever runs the tests by hand looks at new ones.
hypothesis.register_profile("toile", deadline=None, derandomize="CI" in os.environ)
hypothesis.load_profile("toile")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A database file of this run's own: threads and worker processes can open it, other runs do not."""
    from django.db import connection, connections

    if connection.vendor != "sqlite":
        return
    connections["default"].settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")


@pytest.fixture(autouse=True)
def _apart(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Files, broker and data folder of the test's own, wherever a test touches Django."""
    needs = {"db", "transactional_db", "settings", "client", "live_server", "django_user_model"}
    if not needs & set(request.fixturenames) and request.node.get_closest_marker("django_db") is None:
        yield
        return
    from fashion_site.celery import app

    settings: Any = request.getfixturevalue("settings")
    settings.DATA_DIR = tmp_path
    settings.MEDIA_ROOT = str(tmp_path / "files")
    settings.BROKER_URL = "memory://"
    settings.WHITENOISE_USE_FINDERS = False  # scanning every static file for every client takes longer than the tests
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    app.conf.update(broker_url="memory://", broker_transport_options={})
    yield


_numbers = itertools.count(1)


@pytest.fixture
def make_person(db: None) -> Callable[..., User]:
    from studio.account.models import User

    def make(name: str = "", **fields: Any) -> User:
        return User.objects.create_user(username=name or f"person-{next(_numbers)}", password="s3wing-kit", **fields)

    return make


@pytest.fixture
def person(make_person: Callable[..., User]) -> User:
    return make_person("ana")


@pytest.fixture
def other(make_person: Callable[..., User]) -> User:
    return make_person("ben")


@pytest.fixture
def staff(make_person: Callable[..., User]) -> User:
    return make_person("staff", is_staff=True, is_superuser=True)


@pytest.fixture
def client_of() -> Callable[[User | None], Client]:
    from django.test import Client

    def make(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def make_pattern(db: None) -> Callable[..., Pattern]:
    """A finished pattern with real files: ``make_pattern(owner, pattern_type="floral", public=True)``."""
    import numpy as np

    from patterns import cutting, services
    from patterns.models import Pattern

    def make(owner: User, **fields: Any) -> Pattern:
        number = next(_numbers)
        palette = ["#f5ece0", "#9c2a2e", "#dca690", "#66704f"]
        values: dict[str, Any] = {
            "pattern_type": "dotted",
            "seed": number,
            "engine": "drawn",
            "palette": palette,
            "size": 64,
        }
        row = Pattern(owner=owner, **{**values, **fields})
        inks = np.random.default_rng(number).dirichlet([0.3] * len(row.palette), (64, 64)).transpose(2, 0, 1)
        services.store(row, cutting.cut(inks.astype(np.float32), row.palette, row.recipe()))
        return row

    return make


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """An encoded picture with soft structure: ``picture(width, height, "JPEG", quality=80)``."""
    import numpy as np
    from PIL import Image

    def make(width: int = 120, height: int = 160, format: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        planes = [120 + 60 * np.sin(x / 19 + k) + 40 * np.cos(y / 23 - k) for k in range(3)]
        target = io.BytesIO()
        Image.fromarray(np.stack(planes, -1).clip(0, 255).astype(np.uint8)).convert(mode).save(
            target, format, **options
        )
        return target.getvalue()

    return make


@pytest.fixture
def wearable_files(picture: Callable[..., bytes]) -> Callable[[str], tuple[dict[str, str], dict[str, Any]]]:
    """Store the files of a wearable whose lower middle is a skirt: (storage keys by field, other field values)."""

    def make(folder: str) -> tuple[dict[str, str], dict[str, Any]]:
        import numpy as np
        from django.core.files.base import ContentFile
        from django.core.files.storage import default_storage
        from PIL import Image

        from ml_backend.pipelines import overlay
        from studio import pictures

        content = picture(120, 160, "PNG")
        photo = Image.open(io.BytesIO(content)).convert("RGB")
        mask = np.zeros((160, 120), np.float32)
        mask[60:150, 30:90] = 1
        labels = (mask * 4).astype(np.uint8)
        files, fitted = pictures.fitted_files(photo, overlay.fit(photo, mask, labels))
        files |= {"image": content, "thumb": picture(60, 80, "WEBP")}
        names = {**pictures.SUFFIXES, "image": "image.png", "thumb": "thumb.webp"}
        keys = {
            name: default_storage.save(f"{folder}/{names[name]}", ContentFile(value)) for name, value in files.items()
        }
        return keys, {"width": 120, "height": 160, "fit": fitted, "classes": fitted["classes"]}

    return make


@pytest.fixture
def make_photo(db: None, wearable_files: Any) -> Callable[..., Photo]:
    """A photo of ``owner`` whose cloth is found, with real files."""
    from studio.photos.models import Photo

    def make(owner: User, **fields: Any) -> Photo:
        photo = Photo(owner=owner)
        keys, values = wearable_files(photo.folder)
        for name, value in {**keys, **values, **fields}.items():
            setattr(photo, name, value)
        photo.save()
        return photo

    return make


@pytest.fixture
def make_garment(db: None, wearable_files: Any) -> Callable[..., Garment]:
    from studio.photos.models import Garment

    def make(slug: str = "skirt", **fields: Any) -> Garment:
        keys, values = wearable_files(f"garments/{slug}")
        return Garment.objects.create(slug=slug, name=slug.title(), **{**keys, **values, **fields})

    return make


@pytest.fixture
def work_off(db: None) -> Callable[[], int]:
    """Do all queued jobs here and now; returns how many."""
    from ml_backend.serving import jobs

    return lambda: jobs.work_off(jobs.QUEUES, beating=False)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """``with committed():`` what waits for the commit is done at its end."""
    return partial(django_capture_on_commit_callbacks, execute=True)
