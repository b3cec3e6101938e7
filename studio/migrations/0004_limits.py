from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("studio", "0003_words")]

    operations = [
        migrations.AddField("user", "origin", models.CharField(blank=True, default="", editable=False, max_length=24), preserve_default=False),
        migrations.CreateModel(
            "Counter",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200, unique=True)),
                ("count", models.PositiveIntegerField()),
                ("until", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
