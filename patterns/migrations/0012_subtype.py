"""The design of a type that was asked for by its name, and fabrics that were cut from a photo of a real cloth."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patterns", "0010_shares")]

    operations = [
        migrations.AddField("pattern", "subtype", models.CharField(blank=True, default="", max_length=20)),
        migrations.AddField("pattern", "cloth", models.JSONField(blank=True, default=dict)),
        migrations.AlterField(
            "pattern",
            "engine",
            models.CharField(
                choices=[("dreamed", "dreamed"), ("drawn", "drawn"), ("photographed", "photographed")], max_length=12
            ),
        ),
    ]
