"""Addresses of the workshop."""

from django.urls import path

from patterns import files

from . import run_views, views
from .models import TrainingPicture

urlpatterns = [
    path("workshop/data/", views.data_sets, name="data-sets"),
    path("workshop/data/<uuid:pk>/", views.data_set, name="data-set"),
    path("workshop/data/<uuid:pk>/status/", views.status, name="data-set-status"),
    path("workshop/data/<uuid:pk>/pictures/", views.add, name="data-set-add"),
    path("workshop/data/<uuid:pk>/pictures/<uuid:picture>/delete/", views.take_out, name="data-set-take-out"),
    path("workshop/data/<uuid:pk>/captions/", views.captions, name="data-set-captions"),
    path("workshop/data/<uuid:pk>/change/", views.change, name="data-set-change"),
    path("workshop/data/<uuid:pk>/look/", views.look_again, name="data-set-look"),
    path("workshop/data/<uuid:pk>/freeze/", views.freeze, name="data-set-freeze"),
    path("workshop/data/<uuid:pk>/share/", views.share, name="data-set-share"),
    path("workshop/data/<uuid:pk>/copy/", views.copy, name="data-set-copy"),
    path("workshop/data/<uuid:pk>/zip/", views.download, name="data-set-zip"),
    path("workshop/data/<uuid:pk>/delete/", views.delete, name="data-set-delete"),
    path("workshop/runs/", run_views.training_runs, name="training-runs"),
    path("workshop/runs/<int:pk>/", run_views.training_run, name="training-run"),
    path("workshop/runs/<int:pk>/status/", run_views.status, name="training-run-status"),
    path("workshop/runs/<int:pk>/samples/<int:step>/", run_views.sample, name="training-run-sample"),
    path("workshop/runs/<int:pk>/pause/", run_views.pause, name="training-run-pause"),
    path("workshop/runs/<int:pk>/resume/", run_views.resume, name="training-run-resume"),
    path("workshop/runs/<int:pk>/cancel/", run_views.cancel, name="training-run-cancel"),
    path("workshop/runs/<int:pk>/candidate/", run_views.candidate, name="training-run-candidate"),
    path("workshop/runs/<int:pk>/delete/", run_views.delete, name="training-run-delete"),
    path("files/training/<uuid:pk>/<slug:name>", files.view_of(TrainingPicture), name="trainingpicture-file"),
]
