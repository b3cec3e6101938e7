"""Addresses of the workshop."""

from django.urls import path

from patterns import files

from . import views
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
    path("files/training/<uuid:pk>/<slug:name>", files.view_of(TrainingPicture), name="trainingpicture-file"),
]
