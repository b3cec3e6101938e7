from django.db import migrations, models


class Migration(migrations.Migration):
    """The pattern types are those that `ml_backend/swatches` holds; no migration lists them."""

    dependencies = [
        ("patterns", "0006_dreamed_or_drawn"),
    ]

    operations = [
        migrations.AlterField(
            model_name="pattern",
            name="pattern_type",
            field=models.CharField(max_length=20),
        ),
    ]
