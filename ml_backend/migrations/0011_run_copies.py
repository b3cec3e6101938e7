from django.db import migrations, models


class Migration(migrations.Migration):
    """Where a training run's checkpoint is kept beside its machine's disk."""

    dependencies = [("ml_backend", "0010_training_runs")]

    operations = [migrations.AddField("trainingrun", "copy", models.JSONField(blank=True, default=dict))]
