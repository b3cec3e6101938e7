"""Pages of the gallery."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
