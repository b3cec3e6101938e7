"""What the looks of additions share: Django in the copy they are run in, with an empty database, and somebody in it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "fashion_site.settings"
sys.path.insert(0, str(Path.cwd()))


def set_up(*grown: str) -> None:
    """An empty database and a broker in memory; the applications that have ``grown`` get their migration."""
    import django

    django.setup()
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from django.test import override_settings

    from fashion_site.celery import app as celery

    settings.BROKER_URL = "memory://"
    settings.WHITENOISE_USE_FINDERS = False
    celery.conf.update(broker_url="memory://", broker_transport_options={})
    if grown:
        call_command("makemigrations", *grown, verbosity=0)
    with override_settings(MIGRATION_MODULES={app.label: None for app in apps.get_app_configs()}):
        call_command("migrate", run_syncdb=True, verbosity=0)  # tables as the models are, in a third of the time


def person(name: str = "ana") -> Any:
    from studio.account.models import User

    return User.objects.create_user(username=name, password="s3wing-kit")


def browser(user: Any = None) -> Any:
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    if user is not None:
        client.force_login(user)
    return client


def program(user: Any) -> Any:
    """A client with a token of ``user``'s."""
    from django.test import Client

    from studio.api import tokens

    return Client(headers={"host": "localhost", "authorization": f"Bearer {tokens.make(user, 'test')[1]}"})


def say(found: dict[str, Any]) -> None:
    sys.stdout.write("\n" + json.dumps(found) + "\n")
