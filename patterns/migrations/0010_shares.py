from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patterns", "0009_repeats")]

    operations = [
        migrations.AddField(
            model_name="pattern", name="shares", field=models.JSONField(blank=True, default=list)
        ),
    ]
