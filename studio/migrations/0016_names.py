from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Lower


def number_photos(apps, schema_editor):
    """Photos of before are numbered in the order in which they came, the newest first in the strip as it was."""
    Photo = apps.get_model("studio", "Photo")
    seen = {}
    for photo in Photo.objects.order_by("created_at", "pk").only("pk", "owner_id").iterator():
        seen[photo.owner_id] = number = seen.get(photo.owner_id, 0) + 1
        Photo.objects.filter(pk=photo.pk).update(number=number, place=number)


class Migration(migrations.Migration):
    """Photos have names and places; people may choose a name for what they publish."""

    dependencies = [("studio", "0015_cloth"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField("photo", "name", models.CharField(blank=True, max_length=60)),
        migrations.AddField("photo", "number", models.PositiveIntegerField(default=0, editable=False)),
        migrations.AddField("photo", "place", models.IntegerField(default=0, editable=False)),
        migrations.RunPython(number_photos, migrations.RunPython.noop),
        migrations.AddField("user", "public_name", models.CharField(blank=True, max_length=40)),
        migrations.AddConstraint(
            "user",
            models.UniqueConstraint(
                Lower("public_name"), condition=models.Q(("public_name", ""), _negated=True), name="public_name_once"
            ),
        ),
    ]
