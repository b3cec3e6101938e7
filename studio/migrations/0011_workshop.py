import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Data sets that models learn a style from."""

    dependencies = [("ml_backend", "0009_curation"), ("studio", "0010_curation")]

    operations = [
        migrations.CreateModel(
            name="DataSet",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                (
                    "shape",
                    models.CharField(
                        choices=[("crop", "Cut to the middle"), ("pad", "Keep all of it")], default="crop", max_length=4
                    ),
                ),
                ("side", models.PositiveSmallIntegerField(default=512)),
                ("shared", models.BooleanField(default=False)),
                ("sha256", models.CharField(blank=True, db_index=True, editable=False, max_length=64)),
                ("frozen_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="data_sets",
                        to="ml_backend.job",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="data_sets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [models.Index(fields=["owner", "-created_at"], name="data_set_mine")],
            },
        ),
        migrations.CreateModel(
            name="TrainingPicture",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("image", models.FileField(max_length=255, upload_to="")),
                ("thumb", models.FileField(blank=True, max_length=255, upload_to="")),
                ("file", models.FileField(blank=True, max_length=255, upload_to="")),
                ("mask", models.FileField(blank=True, max_length=255, upload_to="")),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("caption", models.TextField(blank=True)),
                ("suggestion", models.TextField(blank=True)),
                ("sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("mask_sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "data_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pictures", to="studio.dataset"
                    ),
                ),
            ],
            options={
                "ordering": ["number", "created_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("data_set", "number"), name="number_once_in_its_data_set")
                ],
            },
        ),
    ]
