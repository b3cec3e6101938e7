"""The request of a job of taps is the request for taps; the mask that it fills knows its job."""

import uuid

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


NOBODYS = uuid.UUID(int=0)


def unwrap(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    for job in apps.get_model("ml_backend", "Job").objects.filter(kind="tap").iterator():
        if isinstance(job.request.get("taps"), dict):
            job.request = job.request["taps"]
            job.save(update_fields=["request"])


def wrap(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    masks = dict(apps.get_model("studio", "Mask").objects.filter(job__kind="tap").values_list("job", "pk"))
    for job in apps.get_model("ml_backend", "Job").objects.filter(kind="tap").iterator():
        job.request = {"mask": str(masks.get(job.pk, NOBODYS)), "taps": job.request}
        job.save(update_fields=["request"])


class Migration(migrations.Migration):
    dependencies = [("ml_backend", "0008_turns_and_sizes"), ("studio", "0008_made_things")]

    operations = [migrations.RunPython(unwrap, wrap)]
