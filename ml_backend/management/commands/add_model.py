from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ml_backend.errors import BadPackage
from ml_backend.packaging import Package
from ml_backend.serving import registry


class Command(BaseCommand):
    help = "Keep a copy of a model package in storage; with --serve it serves its capability from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("package", type=Path, help="folder with weights.safetensors and manifest.json")
        parser.add_argument("--serve", action="store_true")
        parser.add_argument("--notes", default="")

    def handle(self, package: Path, serve: bool, notes: str, **_: object) -> None:
        try:
            registry.try_out(Package.load(package))
            version = registry.add(package, notes=notes)
        except BadPackage as error:
            raise CommandError(str(error)) from error
        if serve:
            registry.serve(version)
        self.stdout.write(f"{version.reference} {'serves' if version.serving else 'is kept for'} {version.capability}.")
