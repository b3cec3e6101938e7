from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patterns", "0008_made_things")]

    operations = [
        migrations.AddField(
            model_name="pattern", name="shares", field=models.JSONField(blank=True, default=list)
        ),
    ]
