"""Addresses of stored files."""

from django.urls import path

from . import files

urlpatterns = [
    path("patterns/<uuid:pk>/<slug:name>", files.pattern_file, name="pattern-file"),
    path("photos/<uuid:pk>/<slug:name>", files.photo_file, name="photo-file"),
    path("looks/<uuid:pk>/<slug:name>", files.look_file, name="look-file"),
    path("masks/<uuid:pk>/<slug:name>", files.mask_file, name="mask-file"),
    path("restyles/<uuid:pk>/<slug:name>", files.restyle_file, name="restyle-file"),
    path("imaginings/<uuid:pk>/<slug:name>", files.imagining_file, name="imagining-file"),
    path("jobs/<uuid:pk>/preview", files.job_preview, name="job-preview"),
    path("garments/<slug:slug>/<slug:name>", files.garment_file, name="garment-file"),
]
