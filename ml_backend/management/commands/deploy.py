"""Run a packed model on a cloud: ``manage.py deploy sagemaker --help``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ml_backend.errors import BadInput
from ml_backend.serving import sagemaker
from ml_backend.serving.endpoints import MODES


class Command(BaseCommand):
    help = "Run a packed model on a cloud, or take it down again."

    def add_arguments(self, parser: CommandParser) -> None:
        cloud = parser.add_subparsers(dest="cloud", required=True, metavar="CLOUD")
        one = cloud.add_parser("sagemaker", help="model, endpoint configuration, endpoint and autoscaling of SageMaker")
        one.add_argument("name", help="what all of it is called")
        one.add_argument("--region", required=True, help="as eu-west-1")
        one.add_argument("--archive", default="", help="s3://BUCKET/.../model.tar.gz; with --upload it is put there")
        one.add_argument("--upload", type=Path, metavar="FILE", help="the archive that 'ml_backend package' wrote")
        one.add_argument("--image", default="", help="address of the container")
        one.add_argument("--role", default="", help="ARN that the container runs under")
        one.add_argument("--instance", default="ml.g4dn.xlarge", help="kind of machine (ml.g4dn.xlarge)")
        one.add_argument("--mode", choices=MODES, default=MODES[0], help="real-time answers are cut at 60 s")
        one.add_argument(
            "--outputs", default="", metavar="S3", help="s3://BUCKET/PREFIX for the answers of an async one"
        )
        one.add_argument("--least", type=int, default=1, help="machines that run always; async: 0 is possible (1)")
        one.add_argument("--most", type=int, default=1, help="machines at the most; more than the least scales (1)")
        one.add_argument(
            "--target", type=float, default=5.0, help="requests a minute for a machine; async: that wait for it (5)"
        )
        what = one.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="print the calls and make none")
        what.add_argument("--tear-down", action="store_true", help="delete all that bears the name")

    def handle(self, cloud: str, **options: Any) -> None:
        del cloud  # there is one
        names = ("name", "region", "archive", "image", "role", "instance", "mode", "outputs", "least", "most", "target")
        wanted = sagemaker.Deployment(**{name: options[name] for name in names})
        try:
            if options["tear_down"]:
                self._tear_down(wanted)
            elif options["dry_run"]:
                self._print(wanted)
            else:
                self._deploy(wanted, options["upload"])
        except BadInput as error:
            raise CommandError(str(error)) from error

    def _print(self, wanted: sagemaker.Deployment) -> None:
        plan = sagemaker.Plan(wanted)
        for step in [*plan.steps(), *plan.scaling()]:
            self.stdout.write(f"{step.service} {step.method}\n{json.dumps(step.given, indent=2)}")

    def _deploy(self, wanted: sagemaker.Deployment, archive: Path | None) -> None:
        wanted.check()
        if archive is not None:
            sagemaker.upload(archive, wanted.archive, wanted.region, self.stdout.write)
        sagemaker.deploy(wanted, self.stdout.write)
        how = f"--mode async --inputs {wanted.outputs}/questions " if wanted.mode == "async" else ""
        self.stdout.write(f"{wanted.name} runs. To let it serve a model here:")
        self.stdout.write(f"  manage.py models connect MODEL --sagemaker {wanted.name} --region {wanted.region} {how}")

    def _tear_down(self, wanted: sagemaker.Deployment) -> None:
        count = sagemaker.tear_down(wanted, self.stdout.write)
        if not count:
            raise BadInput(f"There is nothing called {wanted.name} in {wanted.region}.")
        self.stdout.write(
            f"{wanted.name} is gone. The packed model stays where it is: {wanted.archive or 'its bucket'}."
        )
