"""Training data on S3: the opener that ``python -m ml_backend train --opener s3=ml_backend.s3:open_object`` takes.

It stands outside the pure library, which knows no boto3.  Keys, region and endpoint come from where boto3 finds them:
the environment (``AWS_ENDPOINT_URL`` for other servers than Amazon's), a profile, or the machine's role.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from .errors import BadInput

_LATER = {"SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable", "500", "503"}


def open_object(address: str, start: int) -> Any:
    """The body of ``s3://BUCKET/KEY`` from byte ``start`` on.

    Raises :class:`BadInput` when the object cannot be had, ``OSError`` when trying again may help.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    parts = urlsplit(address)
    wanted = {"Bucket": parts.netloc, "Key": unquote(parts.path.lstrip("/"))}
    if start:
        wanted["Range"] = f"bytes={start}-"
    try:
        return _client().get_object(**wanted)["Body"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _LATER:
            raise OSError(f"S3 answers {code}") from error
        raise BadInput(f"s3://{wanted['Bucket']}/{wanted['Key']} cannot be read: S3 answers {code}.") from error
    except BotoCoreError as error:
        raise OSError(str(error)) from error


@cache
def _client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(retries={"mode": "standard"}, read_timeout=60))
