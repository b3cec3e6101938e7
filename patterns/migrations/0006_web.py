from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patterns", "0004_moves")]

    operations = [
        migrations.AddField(
            model_name="pattern",
            name="web",
            field=models.FileField(blank=True, max_length=255, upload_to=""),
        ),
    ]
