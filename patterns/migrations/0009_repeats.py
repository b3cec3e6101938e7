"""A fabric is made for a repeat; those of before were all made for the basic one."""

from django.db import migrations, models

from ml_backend.requests import REPEATS


class Migration(migrations.Migration):
    dependencies = [("patterns", "0008_made_things")]

    operations = [
        migrations.AddField(
            "pattern",
            "repeat",
            models.CharField(choices=[(name, name) for name in REPEATS], default="basic", max_length=20),
        ),
        migrations.AddField("pattern", "mended", models.BooleanField(default=False)),
    ]
