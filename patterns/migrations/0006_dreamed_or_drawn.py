"""What a network dreams is called so, whichever network it is."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BEFORE, AFTER = "dcgan", "dreamed"


def rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    apps.get_model("patterns", "Pattern").objects.filter(engine=BEFORE).update(engine=AFTER)


def name_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001
    apps.get_model("patterns", "Pattern").objects.filter(engine=AFTER).update(engine=BEFORE)


class Migration(migrations.Migration):
    dependencies = [("patterns", "0005_web_and_taken_down")]

    operations = [
        migrations.AlterField(
            "pattern", "engine", models.CharField(choices=[("dreamed", "dreamed"), ("drawn", "drawn")], max_length=10)
        ),
        migrations.RunPython(rename, name_back),
    ]
