import django.db.models.deletion
from django.db import migrations, models


def one_part_each(apps, schema_editor):
    """Every look that was made wears one pattern: its only part."""
    LookPart = apps.get_model("studio", "LookPart")
    looks = apps.get_model("studio", "Look").objects.values_list("pk", "pattern_id", "params")
    parts = (LookPart(look_id=pk, pattern_id=pattern, params=params) for pk, pattern, params in looks.iterator())
    LookPart.objects.bulk_create(parts, batch_size=500)


def first_part_only(apps, schema_editor):
    """The way back keeps the first pattern of an outfit."""
    Look = apps.get_model("studio", "Look")
    for part in apps.get_model("studio", "LookPart").objects.filter(place=0).iterator():
        Look.objects.filter(pk=part.look_id).update(pattern_id=part.pattern_id, params=part.params)


class Migration(migrations.Migration):

    dependencies = [
        ('patterns', '0005_web_and_taken_down'),
        ('studio', '0005_taken_down_and_window'),
    ]

    operations = [
        migrations.CreateModel(
            name='LookPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField(default=0)),
                ('params', models.JSONField(default=dict)),
                ('look', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='studio.look')),
                ('pattern', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='look_parts', to='patterns.pattern')),
            ],
            options={'ordering': ['place']},
        ),
        migrations.AddConstraint(
            model_name='lookpart',
            constraint=models.UniqueConstraint(fields=('look', 'place'), name='look_part_place'),
        ),
        migrations.RunPython(one_part_each, first_part_only),
        migrations.AddField('photo', 'found_mask', models.FileField(blank=True, max_length=255, upload_to='')),
        migrations.AddField('photo', 'found_labels', models.FileField(blank=True, max_length=255, upload_to='')),
        migrations.RemoveField(model_name='look', name='pattern'),
        migrations.RemoveField(model_name='look', name='params'),
    ]
