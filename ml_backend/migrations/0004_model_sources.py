from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ml_backend", "0003_job_preview")]

    operations = [
        migrations.AddField("modelversion", "licence", models.TextField(blank=True)),
        migrations.AddField("modelversion", "size", models.PositiveBigIntegerField(default=0)),
        migrations.AddField("modelversion", "source", models.CharField(blank=True, max_length=300)),
    ]
