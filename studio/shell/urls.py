from django.urls import path

from . import views

urlpatterns = [
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("worker.js", views.worker, name="service-worker"),
    path("offline/", views.offline, name="offline"),
    path("style/", views.style, name="style"),
]
