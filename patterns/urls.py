"""Addresses of the files of patterns."""

from django.urls import path

from . import files
from .models import Pattern

urlpatterns = [path("files/patterns/<uuid:pk>/<slug:name>", files.view_of(Pattern), name="pattern-file")]
