from django.db import migrations, models


class Migration(migrations.Migration):
    """New fabrics wait to be kept; all that were made before are."""

    dependencies = [("patterns", "0012_subtype")]

    operations = [
        migrations.AddField(
            model_name="pattern",
            name="fresh_until",
            field=models.DateTimeField(blank=True, db_index=True, null=True),
        ),
    ]
