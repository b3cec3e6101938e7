"""Making, checking and revoking API tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ml_backend.errors import BadInput

from ..account.models import User
from .models import ApiToken

MARK = "toile_"
"""What every token begins with, so that one that leaked is recognised."""
MAX_TOKENS = 20
USED_EVERY = timedelta(minutes=1)
"""``last_used_at`` is written at most so often: not every reading request should write."""


def make(owner: User, name: str) -> tuple[ApiToken, str]:
    """A new token of ``owner``'s and its text, which cannot be had again.  Raises :class:`BadInput`."""
    if owner.is_guest:
        raise BadInput("A guest has no tokens. Sign up first; everything made so far is kept.")
    called = " ".join(name.split())
    if not called or len(called) > 60 or not called.isprintable():
        raise BadInput("Give the token a name of at most 60 characters, to know it by.")
    text = MARK + secrets.token_urlsafe(32)
    with transaction.atomic():
        # Counted under a lock on the person, so that two tabs cannot pass the limit together.
        User.objects.select_for_update().filter(pk=owner.pk).first()
        if owner.api_tokens.count() >= MAX_TOKENS:
            raise BadInput(f"You have {MAX_TOKENS} tokens already. Revoke one that is no longer used.")
        token = ApiToken.objects.create(owner=owner, name=called, prefix=text[:12], digest=digest(text))
    return token, text


def digest(text: str) -> str:
    """What is kept of a token.  A plain hash is enough for 256 random bits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def find(text: str) -> ApiToken | None:
    """The token that reads ``text``, marked as used; None for an unknown or revoked one, or an owner who is barred."""
    token = ApiToken.objects.select_related("owner").filter(digest=digest(text)).first()
    if token is None or not token.owner.is_active or token.owner.is_guest:
        return None
    now = timezone.now()
    unmarked = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    ApiToken.objects.filter(unmarked, pk=token.pk).update(last_used_at=now)
    return token


def revoke(token: ApiToken) -> None:
    """The next request with it is refused."""
    token.delete()
