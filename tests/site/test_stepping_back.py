"""A worker on a machine that also answers pages goes behind them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

STEP_BACK = """
import os
from fashion_site.celery import step_back
step_back()
print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_IDLE)
"""


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="only Linux has idle processes")
@pytest.mark.parametrize(("nice", "idle"), [("15", True), ("0", False)])
@pytest.mark.parametrize("alone", [True, False])
def test_a_worker_steps_back_as_it_is_told(nice: str, idle: bool, alone: bool) -> None:
    before = os.nice(0)
    result = subprocess.run(
        [sys.executable, "-c", STEP_BACK],
        env={**os.environ, "TOILE_WORKER_NICE": nice},
        start_new_session=alone,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == [str(min(before + int(nice), 19)), str(idle)]
