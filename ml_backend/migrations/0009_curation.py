"""A model is a draft, a candidate, serves or has retired; who did what to it is kept; runs say whose they are."""

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q


def tell_status(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    """What was kept and did not serve had been tried, so it is a candidate; a starter that did not was withdrawn.

    LoRAs were offered as soon as they were kept.
    """
    versions = apps.get_model("ml_backend", "ModelVersion").objects
    versions.update(status="candidate")
    versions.exclude(starter="").update(status="retired")
    versions.filter(Q(serving=True) | Q(capability="lora")).update(status="serving")


def tell_origin(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    """A hub's is told as ``owner/name@commit``, a file or folder by its name; our own packages told nothing."""
    versions = apps.get_model("ml_backend", "ModelVersion").objects
    versions.update(origin="trained")
    versions.exclude(source="").update(origin="uploaded")
    versions.filter(source__contains="/").filter(source__contains="@").update(origin="hub")
    versions.exclude(starter="").update(origin="starter")


def tell_metrics(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    """The figures of the manifest, as rows; how many pictures they were taken of stood beside them as ``n``."""
    for version in apps.get_model("ml_backend", "ModelVersion").objects.all():
        figures = version.manifest.get("metrics") or {}
        version.metrics = [
            {"metric": name, "value": value, "deviation": None, "n": None, "features": "", "data": "", "command": ""}
            for name, value in figures.items()
            if isinstance(value, int | float) and name != "n" and not name.endswith("_n")
        ]
        version.save(update_fields=["metrics"])


def notes_become_events(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    events = apps.get_model("ml_backend", "CurationEvent").objects
    for version in apps.get_model("ml_backend", "ModelVersion").objects.exclude(notes=""):
        reference = f"{version.name}@{version.sha256[:12]}"
        events.create(
            at=version.created_at,
            action="noted",
            capability=version.capability,
            version=version,
            reference=reference,
            text=version.notes,
        )


def notes_go_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    for version in apps.get_model("ml_backend", "ModelVersion").objects.all():
        noted = version.events.filter(action="noted").order_by("at").values_list("text", flat=True)
        version.notes = "\n".join(noted)
        version.save(update_fields=["notes"])


def only_two_ways(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The way back.  What is somebody's own goes, for nothing would keep it from others."""
    versions = apps.get_model("ml_backend", "ModelVersion").objects
    versions.exclude(owner=None).delete()
    versions.update(serving=False)
    versions.filter(status="serving").exclude(capability="lora").update(serving=True)
    if schema_editor.connection.vendor == "postgresql":  # alters no table that has checks of deletions waiting
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def nothing(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    pass


class Migration(migrations.Migration):
    dependencies = [
        ("ml_backend", "0008_turns_and_sizes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("job", "version", models.TextField(blank=True, editable=False, default=""), preserve_default=False),
        migrations.AddField(
            "modelversion",
            "origin",
            models.CharField(
                choices=[
                    ("starter", "ships with Toile"),
                    ("hub", "from a hub"),
                    ("trained", "trained here"),
                    ("uploaded", "uploaded"),
                ],
                default="trained",
                max_length=10,
            ),
        ),
        migrations.AddField("modelversion", "files", models.JSONField(default=list)),
        migrations.AddField(
            "modelversion",
            "status",
            models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("candidate", "Candidate"),
                    ("serving", "Serving"),
                    ("retired", "Retired"),
                ],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.AddField("modelversion", "data_sha256", models.CharField(blank=True, max_length=64, default=""), preserve_default=False),
        migrations.AddField("modelversion", "data_name", models.CharField(blank=True, max_length=120, default=""), preserve_default=False),
        migrations.AddField("modelversion", "recipe", models.JSONField(blank=True, default=dict)),
        migrations.AddField("modelversion", "metrics", models.JSONField(blank=True, default=list)),
        migrations.AddField("modelversion", "endpoint", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "modelversion",
            "owner",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="model_versions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "modelversion",
            "parent",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="children",
                to="ml_backend.modelversion",
            ),
        ),
        migrations.CreateModel(
            "CurationEvent",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("by_name", models.CharField(blank=True, max_length=150)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("added", "Added"),
                            ("noted", "Noted"),
                            ("proposed", "made a candidate"),
                            ("offered", "Offered"),
                            ("default", "made the default"),
                            ("rolled back", "Rolled Back"),
                            ("retired", "Retired"),
                            ("published", "Published"),
                            ("compared", "Compared"),
                            ("removed", "Removed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("capability", models.CharField(max_length=20)),
                ("reference", models.CharField(blank=True, max_length=120)),
                ("text", models.TextField(blank=True)),
                ("details", models.JSONField(blank=True, default=dict)),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="curation_events",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="events",
                        to="ml_backend.modelversion",
                    ),
                ),
            ],
            options={"ordering": ["-at", "-pk"]},
        ),
        migrations.AddField(
            "trainingrun",
            "owner",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="training_runs",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "trainingrun",
            "base",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="runs_from",
                to="ml_backend.modelversion",
            ),
        ),
        migrations.AddField("trainingrun", "data_sha256", models.CharField(blank=True, max_length=64, default=""), preserve_default=False),
        migrations.AddField("trainingrun", "data_name", models.CharField(blank=True, max_length=120, default=""), preserve_default=False),
        migrations.AddField("trainingrun", "paused", models.BooleanField(default=False)),
        migrations.AddField("trainingrun", "seconds", models.FloatField(default=0.0)),
        migrations.AddField("trainingrun", "gpu_seconds", models.FloatField(default=0.0)),
        migrations.RemoveConstraint("modelversion", "the_default_serves"),
        migrations.RunPython(nothing, only_two_ways),
        migrations.RunPython(tell_status, nothing),
        migrations.RunPython(tell_origin, nothing),
        migrations.RunPython(tell_metrics, nothing),
        migrations.RunPython(notes_become_events, notes_go_back),
        migrations.RemoveField("modelversion", "serving"),
        migrations.RemoveField("modelversion", "notes"),
        migrations.AlterField("modelversion", "sha256", models.CharField(db_index=True, max_length=64)),
        migrations.AddConstraint(
            "modelversion",
            models.CheckConstraint(
                condition=Q(default=False) | Q(status="serving"), name="the_default_serves"
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.CheckConstraint(
                condition=Q(owner=None) | ~Q(status="serving"), name="what_serves_is_the_house_s"
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.UniqueConstraint(fields=["sha256"], condition=Q(owner=None), name="one_row_of_a_package"),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.UniqueConstraint(fields=["sha256", "owner"], name="one_row_of_a_package_and_person"),
        ),
        migrations.AddIndex(
            "curationevent", models.Index(fields=["capability", "-at"], name="curation_of_capability")
        ),
    ]
