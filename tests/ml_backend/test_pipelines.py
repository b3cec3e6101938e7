"""What CONTRIBUTING promises of every pipeline: ``Pipeline(package, device)(request) -> result``, reported alike."""

from __future__ import annotations

import inspect
import typing

import pytest

from ml_backend.pipelines import generate, segment, surface, text_mask, upscale
from ml_backend.pipelines.imagine.diffusion import DiffusionImagine
from ml_backend.pipelines.imagine.fabric import FabricImagine
from ml_backend.pipelines.overlay import OverlayPipeline
from ml_backend.pipelines.restyle.diffusion import DiffusionRestyle
from ml_backend.pipelines.restyle.fabric import FabricRestyle

PIPELINES = [
    generate.GeneratePipeline,
    upscale.UpscalePipeline,
    segment.SegmentPipeline,
    surface.SurfacePipeline,
    text_mask.TextMaskPipeline,
    OverlayPipeline,
    FabricRestyle,
    DiffusionRestyle,
    FabricImagine,
    DiffusionImagine,
]
REPORTS = {"progress": "Progress | None", "should_stop": "ShouldStop | None", "preview": "Preview | None"}


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda pipeline: pipeline.__name__)
def test_callbacks_are_named_alike_and_never_mistaken_for_arguments(pipeline: type) -> None:
    parameters = inspect.signature(pipeline.__call__).parameters
    assert {"progress", "should_stop"} <= set(parameters)
    for name, kind in REPORTS.items():
        if name in parameters:
            assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
            assert (parameters[name].annotation, parameters[name].default) == (kind, None)


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda pipeline: pipeline.__name__)
def test_a_model_comes_first_and_its_device_has_a_default(pipeline: type) -> None:
    parameters = inspect.signature(pipeline).parameters
    if "package" not in parameters:  # it needs none
        assert (
            all(each.default is not inspect.Parameter.empty for each in parameters.values()) or "restyle" in parameters
        )
        return
    assert next(iter(parameters)) == "package"
    assert parameters["device"].default == "cpu"
    assert typing.cast(str, parameters["package"].annotation).startswith("Package")
