"""Which models are here, which of them serve, and how others come: ``manage.py models --help``."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ml_backend.errors import BadInput, BadPackage, LibraryError
from ml_backend.models import ModelVersion
from ml_backend.packaging import Manifest
from ml_backend.packaging.hub import KNOWN
from ml_backend.packaging.sources import Source
from ml_backend.packaging.starter import WEIGHTS_DIR, starter
from ml_backend.serving import curation, registry
from ml_backend.serving.endpoints import MODES, Where


class Command(BaseCommand):
    help = "List, pull, verify and choose the models that find, repaint and imagine."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
        what.add_parser("list", help="the models that are here, and which of them serve")
        what.add_parser("known", help="models of the hub that are known to work")
        pull = what.add_parser("pull", help="keep a model: a hub id, a folder, a model.tar.gz or a .safetensors file")
        pull.add_argument("source", help="owner/name[@revision] of the hub, or a path")
        pull.add_argument("--serve", action="store_true", help="let it serve what it can do from now on")
        pull.add_argument(
            "--allow-pickle",
            action="store_true",
            default=os.environ.get("TOILE_ALLOW_PICKLE") == "1",
            help="open pickles too (their tensors only) and keep safetensors; so does TOILE_ALLOW_PICKLE=1",
        )
        pull.add_argument(
            "--config", help="diffusers folder or hub id that a single-file checkpoint takes its settings from"
        )
        pull.add_argument("--untried", action="store_true", help="do not load the model once before it is kept")
        pull.add_argument("--notes", default="", help="a remark for the admin pages")
        verify = what.add_parser("verify", help="read all files and compare them with their sums")
        verify.add_argument("name", nargs="?", help="of one model; all without it")
        serve = what.add_parser(
            "serve", help="let a model serve what it is for; a starter's name lets the starter serve"
        )
        serve.add_argument("name")
        offer = what.add_parser("offer", help="let people choose a model beside the one that serves")
        offer.add_argument("name")
        withdraw = what.add_parser("withdraw", help="retire a model: take it out of service")
        withdraw.add_argument("name")
        promote = what.add_parser("promote", help="one step on: a draft becomes a candidate, a candidate serves")
        promote.add_argument("name")
        roll_back = what.add_parser("rollback", help="make the default before the last change the default again")
        roll_back.add_argument("capability", choices=registry.STARTERS)
        connect = what.add_parser("connect", help="let an endpoint run a model: one of here, or one that is only there")
        connect.add_argument("name")
        place = connect.add_mutually_exclusive_group(required=True)
        place.add_argument("--url", help="https://HOST/invocations")
        place.add_argument("--sagemaker", metavar="ENDPOINT", help="name of an endpoint of SageMaker")
        connect.add_argument("--region", help="of SageMaker, as eu-west-1")
        connect.add_argument("--mode", choices=MODES, help="of SageMaker: real-time (at most 60 s) or async")
        connect.add_argument("--inputs", metavar="S3", help="s3://BUCKET/PREFIX through which an async one is asked")
        connect.add_argument("--token", metavar="VARIABLE", help="TOILE_ENDPOINT_TOKEN...: where workers find it")
        connect.add_argument("--seconds", type=float, help="how long an answer may take (60; async 600)")
        connect.add_argument(
            "--plain", dest="extras", action="store_const", const=False, help="it knows no seed and no strength"
        )
        connect.add_argument("--for", dest="capability", choices=curation.ASKABLE, default="restyle")
        connect.add_argument("--size", type=int, help="side in pixels that it paints at (512)")
        disconnect = what.add_parser("disconnect", help="let the workers here run a model again")
        disconnect.add_argument("name")
        remove = what.add_parser("remove", help="delete a model that does not serve")
        remove.add_argument("name")

    def handle(self, what: str, **options: Any) -> None:
        try:
            getattr(self, f"_{what}")(**options)
        except LibraryError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted. What was downloaded is kept: pull again to go on.") from error

    def _list(self, **_: Any) -> None:
        for capability in registry.CAPABILITIES:
            self.stdout.write(f"{capability}:")
            marks = {one.reference: "serves" if one.is_default else "offered" for one in registry.offered(capability)}
            for row in ModelVersion.objects.filter(capability=capability, starter="", owner=None):
                mark = marks.get(row.reference, "offered" if row.serving else row.status)
                where = row.endpoint.get("url") or row.endpoint.get("sagemaker") or row.source
                self._line(row.reference, mark, row.size, row.licence, where)
            for name in registry.starters(capability):
                self._list_starter(name, marks)

    def _list_starter(self, name: str, marks: dict[str, str]) -> None:
        if not (WEIGHTS_DIR / name).is_dir():
            self._line(name, "missing", 0, "", "")
            return
        manifest = Manifest.read(WEIGHTS_DIR / name)
        mark = marks.get(manifest.reference, "")
        size = sum(file.stat().st_size for file in (WEIGHTS_DIR / name).rglob("*.safetensors"))
        self._line(manifest.reference, mark, size, manifest.licence, "ships with Toile")

    def _line(self, reference: str, mark: str, size: int, licence: str, source: str) -> None:
        about = ", ".join(filter(None, (licence, source)))
        self.stdout.write(f"  {mark:10}{reference}  {_bytes(size)}  {about}".rstrip())

    def _known(self, **_: Any) -> None:
        for offer in KNOWN:
            self.stdout.write(f"{offer.hub_id}\n  {offer.capability}, about {offer.gigabytes:g} GB, {offer.licence}")
            self.stdout.write(f"  {offer.advice}")
        self.stdout.write("Any other id of the same kinds works too: manage.py models pull owner/name --serve")

    def _pull(self, source: str, serve: bool, untried: bool, **options: Any) -> None:
        wanted = {name: options[name] for name in ("allow_pickle", "config", "notes")}
        bar = _Bar(self.stderr)
        try:
            version = curation.pull(source, should_try=not untried, progress=bar, **wanted)
        finally:
            bar.end()
        self.stdout.write(f"{version.reference} is kept: {_bytes(version.size)}, licence: {version.licence}.")
        if version.capability == "lora":
            self.stdout.write(f"It is offered as {version.name} from now on.")
        elif serve:
            self._say_serving(version)
        else:
            self.stdout.write(f"'manage.py models serve {version.name}' lets it {_can(version)}.")

    def _serve(self, name: str, **_: Any) -> None:
        if name in registry.all_starters():
            starter(name)
            curation.serve_starter(name)
            self.stdout.write(f"{name} serves.")
            return
        self._say_serving(_find(name))

    def _offer(self, name: str, **_: Any) -> None:
        version = _adopted(name)
        curation.offer(version)
        self.stdout.write(f"{version.reference} can be chosen to {_can(version)}.")

    def _withdraw(self, name: str, **_: Any) -> None:
        version = _adopted(name)
        curation.withdraw(version)
        self.stdout.write(f"{version.reference} no longer serves.")

    def _promote(self, name: str, **_: Any) -> None:
        version = _adopted(name)
        curation.promote(version)
        self.stdout.write(f"{version.reference} is {version.status} now.")

    def _rollback(self, capability: str, **_: Any) -> None:
        curation.roll_back(capability)
        self.stdout.write(f"{registry.reference(capability)} serves {capability} again.")

    def _connect(self, name: str, capability: str, size: int | None, **options: Any) -> None:
        names = ("url", "sagemaker", "region", "mode", "inputs", "token", "seconds", "extras")
        where = {name: options[name] for name in names if options[name] is not None}
        if ModelVersion.objects.filter(name=name.partition("@")[0], owner=None).exists():
            version = _find(name)
            curation.connect(version, where)
        else:
            version = curation.add_elsewhere(name, where, capability=capability, size=size)
        at = Where.parse(version.endpoint)
        self.stdout.write(f"{version.reference} is run at {at}; it is {version.status}.")
        if not version.serving:
            self.stdout.write(f"'manage.py models serve {version.reference}' lets it {_can(version)}.")

    def _disconnect(self, name: str, **_: Any) -> None:
        version = _find(name)
        curation.connect(version, {})
        self.stdout.write(f"{version.reference} is run by the workers here.")

    def _say_serving(self, version: ModelVersion) -> None:
        curation.serve(version)
        self.stdout.write(
            f"{version.reference} serves: it can {_can(version)}. Workers take it up with their next job."
        )

    def _verify(self, name: str | None = None, **_: Any) -> None:
        bad = 0
        rows = [_find(name)] if name else list(ModelVersion.objects.filter(starter=""))
        for row in rows:
            bar = _Bar(self.stderr)
            try:
                curation.verify(row, bar)
                fault = ""
            except BadPackage as error:
                fault, bad = str(error), bad + 1
            bar.end()
            self.stdout.write(f"{row.reference}  {fault or 'whole'}")
        if name is None:
            bad += self._verify_starters()
        if bad:
            raise CommandError(f"{bad} damaged.")

    def _verify_starters(self) -> int:
        bad = 0
        for name in registry.all_starters():
            if not (WEIGHTS_DIR / name).is_dir() and name not in registry.STARTERS.values():
                continue
            try:
                self.stdout.write(f"{starter(name).manifest.reference}  whole")
            except BadPackage as error:
                self.stdout.write(f"{name}  {error}")
                bad += 1
        return bad

    def _remove(self, name: str, **_: Any) -> None:
        version = _find(name)
        curation.remove(version)
        self.stdout.write(f"{name} is deleted.")


def _find(name: str) -> ModelVersion:
    """By name, or by reference where several have one name.  Raises :class:`BadInput`."""
    plain, _, prefix = name.partition("@")
    found = list(ModelVersion.objects.filter(name=plain, sha256__startswith=prefix, owner=None))
    if not found:
        kind = Source.parse(name).kind if "/" in name else ""
        raise BadInput(
            f"No model is called {name}{'; pull it first' if kind else ''}. 'manage.py models list' names them."
        )
    if len(found) > 1:
        raise BadInput(f"Several models are called {plain}; say which: {', '.join(row.reference for row in found)}.")
    return found[0]


def _adopted(name: str) -> ModelVersion:
    """:func:`_find`, which gives starters a row to be found by."""
    if name in registry.all_starters():
        starter(name)
        curation.adopt_starters()
    return _find(name)


def _can(version: ModelVersion) -> str:
    return " and ".join(registry.WORK.get(name, name) for name in version.capabilities)


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


class _Bar:
    """How far a long piece of work is: one line that is written over on a terminal, a line for each stage elsewhere."""

    def __init__(self, out: Any) -> None:
        self.out = out
        self.is_terminal = sys.stderr.isatty()
        self.stage = ""
        self.next = 0.0

    def __call__(self, done: float, stage: str) -> None:
        if self.is_terminal:
            if time.monotonic() >= self.next or stage != self.stage:
                self.next = time.monotonic() + 0.2
                self.out.write(f"\r\x1b[K{done:4.0%} {stage[:70]}", ending="")
                self.out.flush()
        elif stage != self.stage:
            self.out.write(f"{done:4.0%} {stage}")
        self.stage = stage

    def end(self) -> None:
        if self.is_terminal and self.stage:
            self.out.write("")
