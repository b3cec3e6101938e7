from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("studio", "0006_outfits")]

    operations = [
        migrations.AlterField(
            "mask",
            "origin",
            models.CharField(choices=[("words", "Words"), ("brush", "Brush"), ("taps", "Taps")], max_length=5),
        ),
    ]
