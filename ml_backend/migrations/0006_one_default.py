"""Apart from the new columns: PostgreSQL alters no table whose rows were deleted in the same transaction."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q


def those_that_serve_are_defaults(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    apps.get_model("ml_backend", "ModelVersion").objects.filter(serving=True).update(default=True)


def only_defaults_serve(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    """The way back: one model of a capability, and none that only stands for a starter."""
    versions = apps.get_model("ml_backend", "ModelVersion").objects
    versions.exclude(starter="").delete()
    versions.filter(default=False).update(serving=False)


class Migration(migrations.Migration):
    dependencies = [("ml_backend", "0005_models_to_choose_from")]

    operations = [
        migrations.RunPython(those_that_serve_are_defaults, only_defaults_serve),
        migrations.AddConstraint(
            "modelversion",
            models.UniqueConstraint(
                fields=["capability"], condition=Q(default=True), name="one_default_of_a_capability"
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.UniqueConstraint(fields=["starter"], condition=~Q(starter=""), name="one_row_of_a_starter"),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.CheckConstraint(condition=Q(default=False) | Q(serving=True), name="the_default_serves"),
        ),
    ]
