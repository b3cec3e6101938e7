import django.db.models.deletion
from django.db import migrations, models


def taken_down(model):
    return [
        migrations.AddField(model, "taken_down_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(model, "taken_down_why", models.CharField(blank=True, max_length=300)),
    ]


class Migration(migrations.Migration):
    dependencies = [("patterns", "0005_web_and_taken_down"), ("studio", "0004_limits")]

    operations = [
        *taken_down("look"),
        *taken_down("restyle"),
        *taken_down("imagining"),
        migrations.CreateModel(
            name="ShopWindow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "pattern",
                    models.ForeignKey(
                        blank=True,
                        limit_choices_to={"public": True},
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="patterns.pattern",
                    ),
                ),
                (
                    "garment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="studio.garment",
                    ),
                ),
            ],
            options={"verbose_name": "shop window", "verbose_name_plural": "shop window"},
        ),
    ]
