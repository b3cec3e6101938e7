import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patterns", "0003_vary")]

    operations = [
        migrations.AddField("pattern", "morph_to", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("pattern", "morph_amount", models.FloatField(default=0.0)),
        migrations.AddField("pattern", "morph_type", models.CharField(blank=True, max_length=20)),
        migrations.AddField("pattern", "colours_of", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("pattern", "detail_of", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField(
            "pattern",
            "partner",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="partners",
                to="patterns.pattern",
            ),
        ),
    ]
