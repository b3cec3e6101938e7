

import django.db.models.deletion
import studio.trends.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("studio", "0017_collections"),
    ]

    operations = [
        migrations.CreateModel(
            name='TallyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', models.CharField(choices=[('day', 'by day'), ('week', 'by week')], max_length=4)),
                ('start', models.DateField()),
                ('key', models.CharField(default=studio.trends.models._key, max_length=64)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('period', 'start'), name='one_key_a_period')],
            },
        ),
        migrations.CreateModel(
            name='Seen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='seen', to='studio.tallykey')),
            ],
            options={
                'verbose_name_plural': 'seen',
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', models.CharField(choices=[('day', 'by day'), ('week', 'by week')], max_length=4)),
                ('start', models.DateField()),
                ('what', models.CharField(max_length=12)),
                ('by', models.CharField(max_length=8)),
                ('value', models.CharField(max_length=40)),
                ('count', models.PositiveIntegerField(default=0)),
                ('people', models.PositiveIntegerField(default=0)),
                ('maker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'tallies',
                'constraints': [models.UniqueConstraint(condition=models.Q(('maker', None)), fields=('period', 'start', 'what', 'by', 'value'), name='tally_of_the_site'), models.UniqueConstraint(condition=models.Q(('maker__isnull', False)), fields=('maker', 'period', 'start', 'what', 'by', 'value'), name='tally_of_a_maker')],
            },
        ),
    ]
