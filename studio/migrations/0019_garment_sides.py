from django.db import migrations, models
from django.db.models import F


def fronts(apps, schema_editor):
    """Every garment there was is seen from the front."""
    apps.get_model("studio", "Garment").objects.update(cut=F("slug"))


class Migration(migrations.Migration):
    dependencies = [
        ("studio", "0018_trends"),
    ]

    operations = [
        migrations.AddField(
            model_name="garment",
            name="cut",
            field=models.SlugField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="garment",
            name="side",
            field=models.CharField(choices=[("front", "Front"), ("back", "Back")], default="front", max_length=5),
        ),
        migrations.AddField(
            model_name="garment",
            name="wearer",
            field=models.CharField(
                choices=[("women", "Women's"), ("men", "Men's"), ("everybody", "For both")],
                default="everybody",
                max_length=9,
            ),
        ),
        migrations.RunPython(fronts, migrations.RunPython.noop),
    ]
