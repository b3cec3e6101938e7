from django.core.management.base import BaseCommand

from ml_backend.serving import registry
from studio import starters


class Command(BaseCommand):
    help = "Load the default garments, models and sample gallery; what is there already is left alone."

    def handle(self, **_: object) -> None:
        registry.adopt_starters()
        garments = starters.load_garments()
        patterns = starters.load_samples()
        self.stdout.write(f"Loaded {garments} garments and {patterns} sample patterns; the others were there.")
