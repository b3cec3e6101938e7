"""Addresses of staff's pages of the models."""

from django.urls import path

from . import compared, uploads, views

urlpatterns = [
    path("workshop/models/", views.models, name="models"),
    path("workshop/models/figures/", views.side_by_side, name="models-figures"),
    path("workshop/models/<int:pk>/", views.model, name="model"),
    path("workshop/models/<int:pk>/promote/", views.promote, name="model-promote"),
    path("workshop/models/<int:pk>/default/", views.make_default, name="model-default"),
    path("workshop/models/<int:pk>/retire/", views.retire, name="model-retire"),
    path("workshop/models/<int:pk>/remove/", views.remove, name="model-remove"),
    path("workshop/models/<int:pk>/note/", views.note, name="model-note"),
    path("workshop/models/<int:pk>/samples/<int:number>/", views.sample, name="model-sample"),
    path("workshop/models/<int:pk>/compare/", compared.compare, name="model-compare"),
    path("workshop/models/starters/<slug:folder>/", views.starter, name="starter"),
    path("workshop/models/starters/<slug:folder>/serve/", views.serve_starter, name="starter-serve"),
    path("workshop/models/roll-back/<slug:capability>/", views.roll_back, name="models-roll-back"),
    path("workshop/models/log/", views.log, name="models-log"),
    path("workshop/models/add/", uploads.upload, name="model-upload"),
    path("workshop/models/add/begin/", uploads.begin, name="model-upload-begin"),
    path("workshop/models/add/<uuid:pk>/", uploads.status, name="model-upload-status"),
    path("workshop/models/add/<uuid:pk>/part/", uploads.part, name="model-upload-part"),
    path("workshop/models/add/<uuid:pk>/delete/", uploads.delete, name="model-upload-delete"),
    path("workshop/comparisons/", compared.comparisons, name="comparisons"),
    path("workshop/comparisons/<uuid:pk>/", compared.comparison, name="comparison"),
    path("workshop/comparisons/<uuid:pk>/vote/", compared.vote, name="comparison-vote"),
    path("workshop/comparisons/<uuid:pk>/delete/", compared.delete, name="comparison-delete"),
    path("workshop/comparisons/pictures/<uuid:pk>/", compared.cell, name="compared-picture"),
]
