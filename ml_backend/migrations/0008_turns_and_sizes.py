"""Guests of one address take turns together; stored files are counted."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat


def to_each_their_own(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    """Where guests of before came from was not kept."""
    turn = Concat(Value("person "), Cast(F("owner_id"), CharField()))
    apps.get_model("ml_backend", "Job").objects.update(turn=turn)


class Migration(migrations.Migration):
    dependencies = [
        ("ml_backend", "0007_jobs_that_wait"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("job", "turn", models.CharField(default="", max_length=80), preserve_default=False),
        migrations.RunPython(to_each_their_own, migrations.RunPython.noop),
        migrations.AddIndex("job", models.Index(fields=["turn", "queue", "started_at"], name="job_shared_turns")),
        migrations.CreateModel(
            "StoredFile",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(db_index=True, max_length=255)),
                ("size", models.PositiveBigIntegerField()),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stored_files",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
