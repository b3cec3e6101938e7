"""Addresses of the workspace, of its fabrics and of the jobs that a page follows."""

from django.urls import path

from . import fabrics, keeping, mixing, views

urlpatterns = [
    path("", views.workspace, name="studio"),
    path("fabrics/", fabrics.make, name="fabric-new"),
    path("fabrics/cells/", fabrics.cells, name="fabric-cells"),
    path("fabrics/colourways/", fabrics.recolour, name="fabric-recolour"),
    path("fabrics/keep/", keeping.keep, name="fabric-keep"),
    path("fabrics/discard/", keeping.discard, name="fabric-discard"),
    path("fabrics/repeats/", fabrics.for_repeat, name="fabric-repeat"),
    path("fabrics/mix/", mixing.drawer, name="fabric-mix"),
    path("fabrics/mix/make/", mixing.make, name="fabric-mix-make"),
    path("fabrics/large/", fabrics.large, name="pattern-large"),
    path("fabrics/<uuid:pk>/large/", fabrics.large_following, name="pattern-large-status"),
    path("jobs/<uuid:pk>/cancel/", views.cancel, name="job-cancel"),
    path("jobs/<uuid:pk>/retry/", views.retry, name="job-retry"),
    path("files/jobs/<uuid:pk>/preview", views.preview, name="job-preview"),
]
