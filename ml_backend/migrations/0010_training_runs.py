import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """What a page shows of a training run, and whose its models are."""

    dependencies = [
        ("ml_backend", "0009_curation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="trainingrun", name="name", field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="trainingrun",
            name="made_for",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="runs_for_them",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("trainingrun", "curve", models.JSONField(blank=True, default=list)),
        migrations.AddField("trainingrun", "samples", models.JSONField(blank=True, default=list)),
        migrations.AddField("trainingrun", "checkpoints", models.JSONField(blank=True, default=list)),
        migrations.AddField("trainingrun", "tail", models.TextField(blank=True)),
    ]
