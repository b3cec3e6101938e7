"""Commands that take a model elsewhere: package, serve."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from ..errors import BadInput, BadPackage
from ..packaging import Package
from ..packaging.starter import WEIGHTS_DIR, starter
from .common import Answer, Command, bar

FORMATS = ("sagemaker",)
SAGEMAKERS_FOLDER = "/opt/ml/model"
"""Where SageMaker unpacks a model in a container that it calls with ``serve``."""


def add_commands(command: Command) -> None:
    package = command("package", run_package, "Pack a diffusion model for another cloud.")
    package.add_argument("--format", choices=FORMATS, required=True, help="sagemaker: a model.tar.gz")
    package.add_argument("package", metavar="PACKAGE", help="folder of a package, or the name of a starter")
    package.add_argument("out", type=Path, metavar="OUT", help="a .tar.gz file, or a folder for a model.tar.gz")

    serve = command("serve", run_serve, "Answer /ping and /invocations with a diffusion model.")
    serve.add_argument(
        "package",
        metavar="PACKAGE",
        nargs="?",
        default=SAGEMAKERS_FOLDER,
        help=f"folder of a package, or the name of a starter (default: {SAGEMAKERS_FOLDER})",
    )
    serve.add_argument("--port", type=int, default=8080, help="0 takes a free one (default: 8080)")
    serve.add_argument(
        "--host",
        default=os.environ.get("TOILE_SERVE_HOST", "127.0.0.1"),
        help="where to listen (default: TOILE_SERVE_HOST, else 127.0.0.1); whoever asks must bring TOILE_SERVE_TOKEN",
    )
    serve.set_defaults(device="")  # the GPU where there is one: a container says no more than ``serve``


def run_package(options: argparse.Namespace) -> Answer:
    from ..shipping.tarball import pack

    with bar("Packing") as progress:
        made = pack(_package(options.package), options.out, progress)
    line = f"{made.path}: {made.size / 1e6:.1f} MB, SHA-256 {made.sha256}"
    return {"file": str(made.path), "bytes": made.size, "sha256": made.sha256, "lines": [line]}


def run_serve(options: argparse.Namespace) -> Answer:
    """Until it is interrupted or told to end."""
    from ..shipping import inference
    from ..shipping.server import Server

    package = _package(options.package)
    if package.manifest.architecture != "diffusers":
        raise BadInput(f"{package.manifest.name} is no diffusion model; only these can be served so.")
    try:
        model = inference.load(package.path, options.device) if options.device else inference.model_fn(package.path)
    except Exception as error:  # a broken folder fails in as many ways as there are classes in it
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise BadPackage(f"{package.manifest.name} cannot be loaded: {reason[:200]}") from error
    try:
        server = Server(
            (options.host, options.port),
            lambda asked: inference.predict_fn(asked, model),
            model=package.manifest.reference,
            token=os.environ.get("TOILE_SERVE_TOKEN", ""),
        )
    except (OSError, OverflowError) as error:
        raise BadInput(f"Nothing can listen at {options.host}:{options.port}: {error}.") from error
    ends = threading.Thread(target=server.end, name="end")

    def end(*_: object) -> None:
        if ends.ident is None:
            ends.start()

    signal.signal(signal.SIGTERM, end)
    address = "http://{}:{}".format(*server.server_address[:2])
    print(f"{package.manifest.reference} answers at {address}/invocations", file=sys.stderr, flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)
        if ends.is_alive():
            ends.join()
    return {"model": package.manifest.reference, "lines": []}


def _package(name: str) -> Package:
    """Of a folder, or the starter of that name."""
    if not Path(name).exists() and (WEIGHTS_DIR / name).is_dir():
        return starter(name)
    return Package.load(name)
