"""Addresses of the page where people make tokens; those of the API itself stand in :mod:`.site`."""

from django.urls import path

from . import views

urlpatterns = [
    path("accounts/tokens/", views.tokens, name="tokens"),
    path("accounts/tokens/<uuid:pk>/revoke/", views.revoke, name="token-revoke"),
]
