from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jobs.conftest import package as package
from tests.shipping.elsewhere import Elsewhere, running


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    """An endpoint on this machine."""
    with running() as elsewhere:
        yield elsewhere
