"""A program: the inference toolkit that SageMaker's containers run loads a model folder and answers bodies.

``python toolkit.py MODEL_FOLDER BODIES.json ANSWERS.json``, with the toolkit first on the path.  The loader and the
service of its model server are used; only the Java front of that is not, which hands bodies over a socket.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main(folder: str, bodies: str, answers: str) -> None:
    os.environ["SAGEMAKER_BASE_PATH"] = str(Path(folder).parent)
    import transformers
    from mms.model_loader import ModelLoaderFactory
    from sagemaker_huggingface_inference_toolkit import handler_service

    loader = ModelLoaderFactory.get_model_loader(folder)
    service = loader.load("model", folder, handler_service.__name__, None, 1)
    said = {
        "transformers": transformers.__version__,
        "toolkit": handler_service.__file__,
        "answers": [answer(service, json.dumps(body).encode()) for body in json.loads(Path(bodies).read_text())],
    }
    Path(answers).write_text(json.dumps(said))


def answer(service: Any, body: bytes) -> dict[str, Any]:
    """As the model server's worker asks the service for one request."""
    from mms.metrics.metrics_store import MetricsStore
    from mms.service import PredictionException

    parameter = {"name": "body", "value": body, "contentType": "application/json"}
    headers = [{"name": b"Content-Type", "value": b"application/json"}]
    asked = [{"requestId": b"1", "parameters": [parameter], "headers": headers}]
    properties, bodies, ids = service.retrieve_data_for_inference(asked)
    service.context.request_ids, service.context.request_processor = ids, properties
    service.context.metrics = MetricsStore(ids, "model")
    try:
        return {"status": 200, "body": json.loads(service._entry_point(bodies, service.context)[0])}
    except PredictionException as error:
        return {"status": error.error_code, "message": error.message}


main(*sys.argv[1:])
