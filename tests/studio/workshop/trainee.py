"""Stands in for the library where training itself is not what is tested.

``trainee.py PARENT NICE train RECIPE --run-dir DIR`` keeps to what a run's folder is: a line of the log, a checkpoint
and a sheet for every step, and it ends when it is asked to.  ``rate`` of the recipe is the length of a step.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

from PIL import Image


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


recipe = json.loads(Path(sys.argv[4]).read_text())
folder = Path(sys.argv[6])
signal.signal(signal.SIGTERM, signal.SIG_IGN)
say("Here I am.")
if not (Path(recipe["data_dir"]) / "metadata.jsonl").is_file():
    say("python -m ml_backend: There are no pictures.")
    sys.exit(2)
if recipe["seed"] == 13:
    sys.exit(1)
if recipe["seed"] == 14:
    say("python -m ml_backend: The base does not fit.")
    sys.exit(2)
checkpoints = folder / "checkpoints"
checkpoints.mkdir(exist_ok=True)
step = max((int(path.name) for path in checkpoints.iterdir()), default=0)
(folder / "samples").mkdir(exist_ok=True)
while step < recipe["steps"]:
    if (folder / "stop").exists():
        (folder / "stop").unlink()
        say(f"Stopped after step {step}.")
        sys.exit(130)
    time.sleep(recipe["rate"])
    step += 1
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps({"step": step, "seconds": 0.1, "loss": 1 / step}) + "\n")
    Image.new("RGB", (32, 32), (step % 256, 0, 0)).save(folder / "samples" / f"{step:06d}.png")
    (checkpoints / f"{step:06d}").mkdir()
    for other in checkpoints.iterdir():
        if int(other.name) != step:
            other.rmdir()
say("Trained.")
