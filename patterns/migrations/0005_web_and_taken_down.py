from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patterns", "0004_moves")]

    operations = [
        migrations.AddField(
            model_name="pattern",
            name="web",
            field=models.FileField(blank=True, max_length=255, upload_to=""),
        ),
        migrations.AddField("pattern", "taken_down_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("pattern", "taken_down_why", models.CharField(blank=True, max_length=300)),
    ]
