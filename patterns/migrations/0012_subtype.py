"""The design of a type that was asked for by its name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patterns", "0010_shares")]

    operations = [
        migrations.AddField("pattern", "subtype", models.CharField(blank=True, default="", max_length=20)),
    ]
