

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patterns', '0013_fresh'),
        ("studio", "0016_names"),
    ]

    operations = [
        migrations.CreateModel(
            name='Board',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('notes', models.TextField(blank=True, max_length=2000)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='boards', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='BoardItem',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('place', models.PositiveIntegerField()),
                ('part', models.CharField(blank=True, choices=[('hero', 'Hero'), ('coordinate', 'Coordinate'), ('blender', 'Blender'), ('', 'No part')], max_length=10)),
                ('scale_cm', models.FloatField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('board', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='studio.board')),
                ('look', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='board_items', to='studio.look')),
                ('pattern', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='board_items', to='patterns.pattern')),
            ],
            options={
                'ordering': ['place', 'id'],
            },
        ),
        migrations.CreateModel(
            name='BoardLink',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('board', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='studio.board')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.AddIndex(
            model_name='board',
            index=models.Index(fields=['owner', '-created_at'], name='board_mine'),
        ),
        migrations.AddConstraint(
            model_name='boarditem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('look__isnull', True), ('pattern__isnull', False)), models.Q(('look__isnull', False), ('pattern__isnull', True)), _connector='OR'), name='item_is_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='boarditem',
            constraint=models.UniqueConstraint(fields=('board', 'pattern'), name='fabric_once_on_a_board'),
        ),
        migrations.AddConstraint(
            model_name='boarditem',
            constraint=models.UniqueConstraint(fields=('board', 'look'), name='look_once_on_a_board'),
        ),
    ]
