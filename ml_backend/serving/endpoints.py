"""Models that are served elsewhere: where a :class:`ModelVersion` says that its endpoint is, and how that is asked.

An endpoint answers by the contract of :mod:`ml_backend.shipping.inference`, at a URL or as one of SageMaker's,
real-time or asynchronous.  The row holds no secret: it names the environment variable of the worker that does.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings

from ..errors import BadInput, BadPackage, quoted
from ..packaging import Manifest, Package
from ..shipping.asking import CONNECT_SECONDS, MAX_ANSWER, Answer, Breaker, Endpoint, HttpCall, Place

if TYPE_CHECKING:
    from ..models import ModelVersion

log = logging.getLogger(__name__)

ARCHITECTURE = "endpoint"
"""Of a model of which nothing is known but where it is served."""
MODES = ("real-time", "async")
SECONDS = {"real-time": 60.0, "async": 600.0}
"""How long an answer may take where the row does not say: Amazon cuts real-time ones at a minute."""
MOST_SECONDS = 3600.0
POLL_SECONDS = 1.0
_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "float": (int, float), "bool": (bool,)}
_NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,62}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>[A-Za-z0-9/_.-]*))?")
_TOKEN = re.compile(r"TOILE_ENDPOINT_TOKEN(_[A-Z0-9_]{1,40})?")


@dataclass(frozen=True)
class Where:
    """The ``endpoint`` of a row: a ``url``, or the name of a ``sagemaker`` endpoint, its ``region`` and ``mode``.

    ``inputs`` is the ``s3://BUCKET/PREFIX`` through which an asynchronous one is asked; ``token`` names the environment
    variable with what a URL asks for as ``Authorization: Bearer``.  ``seconds`` is how long an answer may take, 0 the
    usual.  ``extras`` False: see :class:`ml_backend.shipping.asking.Endpoint`.
    """

    url: str = ""
    sagemaker: str = ""
    region: str = ""
    mode: str = "real-time"
    inputs: str = ""
    token: str = ""
    seconds: float = 0.0
    extras: bool = True

    @classmethod
    def parse(cls, data: Any) -> Self:
        """From the row's JSON.  Raises :class:`BadInput` with what is wrong with it."""
        known = {one.name: one.type for one in fields(cls)}
        if not isinstance(data, Mapping) or not data or set(data) - set(known):
            raise BadInput(f"An endpoint is said by {', '.join(known)}; not by {quoted(data)}.")
        for name, value in data.items():
            if not isinstance(value, _KINDS[str(known[name])]) or (isinstance(value, bool) and known[name] != "bool"):
                raise BadInput(f"The {name} of an endpoint cannot be {quoted(value)}.")
        where = cls(**data)
        where._check()
        return where

    def _check(self) -> None:
        if bool(self.url) == bool(self.sagemaker):
            raise BadInput("An endpoint has either a url or the name of one of SageMaker's.")
        if self.mode not in MODES or (self.url and self.mode != MODES[0]):
            raise BadInput("One of SageMaker's is real-time or async; a url is asked in real time.")
        if not 0 <= self.seconds <= MOST_SECONDS:
            raise BadInput(f"An endpoint may take 1 to {MOST_SECONDS:g} seconds.")
        if self.url:
            Place.parse(self.url, settings.ENDPOINT_HOSTS)
        if self.token and not (self.url and _TOKEN.fullmatch(self.token)):
            raise BadInput("The token of a url is a variable's name: TOILE_ENDPOINT_TOKEN or TOILE_ENDPOINT_TOKEN_...")
        if self.sagemaker and not (_NAME.fullmatch(self.sagemaker) and _REGION.fullmatch(self.region)):
            raise BadInput("One of SageMaker's has a name of letters, digits and dashes, and a region like eu-west-1.")
        if (self.mode == "async") != bool(self.inputs) or (self.inputs and not _S3.fullmatch(self.inputs)):
            raise BadInput("An asynchronous endpoint, and no other, is asked through inputs: s3://BUCKET/PREFIX.")

    def to_dict(self) -> dict[str, Any]:
        """What a row keeps: all that is not the usual."""
        return {name: value for name, value in asdict(self).items() if value != getattr(Where, name)}

    def __str__(self) -> str:
        """Where it is, in a few words."""
        return self.url or f"{self.sagemaker} of SageMaker in {self.region}, {self.mode}"


@dataclass(frozen=True)
class Elsewhere(Package):
    """A model whose files are not needed here: an endpoint runs it."""

    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        return f"{self.manifest.sha256} {json.dumps(dict(self.where), sort_keys=True)}"

    @property
    def size(self) -> int:
        return 0

    def state_dict(self) -> Any:
        raise BadPackage(f"{self.manifest.name} is served elsewhere; its weights are not here.")


def elsewhere(version: ModelVersion) -> Elsewhere:
    """The model of a row that has an endpoint."""
    manifest = Manifest(
        name=version.name,
        capability=version.capability,
        architecture=version.manifest.get("architecture", ARCHITECTURE),
        config=version.manifest.get("config", {}),
        sha256=version.sha256,
        version=version.version,
        licence=version.licence,
    )
    return Elsewhere(Path(), manifest, version.endpoint)


_breakers: dict[str, Breaker] = {}
"""Of this process, by where the endpoint is."""


def endpoint_of(package: Elsewhere) -> Endpoint:
    """What asks the endpoint of that model.  Raises :class:`BadPackage` for one that cannot be asked from here."""
    name = package.manifest.name
    try:
        where = Where.parse(package.where)
        seconds = where.seconds or SECONDS[where.mode]
        begin = _begin(where, seconds)
    except BadInput as error:
        wrong = str(error)
    else:
        breaker = _breakers.setdefault(str(where), Breaker())
        return Endpoint(name, begin, seconds=seconds, extras=where.extras, breaker=breaker)
    raise BadPackage(f"{name} cannot be asked where it is served: {wrong}")


def _begin(where: Where, seconds: float) -> Any:
    """What makes a call of it."""
    if where.sagemaker:
        made: type[_RealTime | _Async] = _Async if where.mode == "async" else _RealTime
        return lambda: made(where, seconds)
    token = os.environ.get(where.token, "") if where.token else ""
    if where.token and not token:
        raise BadInput(f"{where.token} is not set on this worker.")
    place = Place.parse(where.url, settings.ENDPOINT_HOSTS)
    return lambda: HttpCall(place, seconds, token)


# --- SageMaker's ----------------------------------------------------------------------------------------------------

_STATUS = {
    "ThrottlingException": 429,
    "AccessDeniedException": 403,
    "ValidationError": 404,
    "ModelNotReadyException": 503,
}
"""What botocore's codes are in HTTP; of others their own status is taken."""
_FAILED = 424
"""Of an asynchronous request that the container failed; why stands in the answer."""

_CUT = 599
"""Of a container that Amazon did not wait for any longer; the same would take as long again."""

_making = threading.Lock()


class _RealTime:
    def __init__(self, where: Where, seconds: float) -> None:
        self.where = where
        self.runtime = client("sagemaker-runtime", where.region, seconds)

    def run(self, body: bytes) -> Answer:
        def ask() -> Answer:
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.where.sagemaker, ContentType="application/json", Accept="application/json", Body=body
            )
            return Answer(200, _read(answer["Body"]))

        return _answered(ask)

    def cut(self) -> None:
        """botocore cannot be interrupted; its own time-out ends the thread that waits."""


class _Async:
    """Asked through a bucket; both objects are deleted when the answer is here, or nobody wants it any more."""

    def __init__(self, where: Where, seconds: float) -> None:
        match = _S3.fullmatch(where.inputs)
        assert match is not None, "it was checked"
        self.where, self.seconds = where, seconds
        self.bucket, prefix = match["bucket"], (match["prefix"] or "").strip("/")
        self.key = "/".join(filter(None, (prefix, f"{uuid.uuid4().hex}.json")))
        self.runtime = client("sagemaker-runtime", where.region, CONNECT_SECONDS * 2)
        self.s3 = client("s3", where.region, CONNECT_SECONDS * 2)
        self.unwanted = threading.Event()

    def run(self, body: bytes) -> Answer:
        objects = [(self.bucket, self.key)]
        try:
            return _answered(lambda: self._asked(body, objects))
        finally:
            for bucket, key in objects:
                self._delete(bucket, key)

    def cut(self) -> None:
        self.unwanted.set()

    def _asked(self, body: bytes, objects: list[tuple[str, str]]) -> Answer:
        self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=body, ContentType="application/json")
        begun = self.runtime.invoke_endpoint_async(
            EndpointName=self.where.sagemaker,
            ContentType="application/json",
            InputLocation=f"s3://{self.bucket}/{self.key}",
            RequestTTLSeconds=max(60, round(self.seconds)),
        )
        places = [_split(begun[name]) for name in ("OutputLocation", "FailureLocation") if begun.get(name)]
        objects += places
        while not self.unwanted.wait(POLL_SECONDS):
            for place, status in zip(places, (200, _FAILED), strict=False):
                data = self._found(*place)
                if data is not None:
                    return Answer(status, data)
        raise ConnectionError("nobody waits for it")

    def _found(self, bucket: str, key: str) -> bytes | None:
        """None while it is not there; a bucket that stumbles is asked again."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return _read(self.s3.get_object(Bucket=bucket, Key=key)["Body"])
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            if status != 404 and status < 500:
                raise
        except BotoCoreError as error:
            log.warning("s3://%s/%s cannot be asked for: %s", bucket, key, type(error).__name__)
        return None

    def _delete(self, bucket: str, key: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self.s3.delete_object(Bucket=bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            log.warning("s3://%s/%s is left: %s", bucket, key, error)


def _answered(ask: Any) -> Answer:
    """What ``ask`` answers, or the status of botocore's error.  Raises :class:`ConnectionError` where there is none."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: Answer = ask()
    except ClientError as error:
        said, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        code = str(said.get("Code", ""))
        status = error.response.get("OriginalStatusCode") or _STATUS.get(code) or meta.get("HTTPStatusCode") or 500
        if code == "ModelError" and not error.response.get("OriginalStatusCode"):
            status = _CUT
        message = str(error.response.get("OriginalMessage") or said.get("Message", code))
        return Answer(int(status), message.encode())
    except BotoCoreError as error:
        raise ConnectionError(type(error).__name__) from error
    return answer


def _read(body: Any) -> bytes:
    data: bytes = body.read(MAX_ANSWER + 1)
    if len(data) > MAX_ANSWER:
        raise BadPackage(f"The endpoint answers with more than {MAX_ANSWER} bytes; that is no picture.")
    return data


def _split(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def client(service: str, region: str, seconds: float) -> Any:
    """A client of boto3, silent for at most ``seconds``; what is tried again is for the caller to say."""
    with _making:  # boto3 makes its clients one at a time
        return _made_client(service, region, seconds)


@cache
def _made_client(service: str, region: str, seconds: float) -> Any:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=CONNECT_SECONDS, read_timeout=seconds, retries={"total_max_attempts": 1})
    return boto3.client(service, region_name=region, config=patience)
