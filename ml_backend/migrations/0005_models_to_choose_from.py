from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ml_backend", "0004_model_sources")]

    operations = [
        migrations.RemoveConstraint("modelversion", "one_model_serves_a_capability"),
        migrations.AddField("modelversion", "default", models.BooleanField(default=False)),
        migrations.AddField("modelversion", "starter", models.CharField(blank=True, max_length=60)),
    ]
