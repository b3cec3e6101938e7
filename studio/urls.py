"""Pages of the studio."""

from django.urls import path

from .views import account, fabrics, looks, photos, work, workspace

urlpatterns = [
    path("", workspace.workspace, name="studio"),
    path("fabrics/", fabrics.make, name="fabric-new"),
    path("fabrics/cells/", fabrics.cells, name="fabric-cells"),
    path("fabrics/colourways/", fabrics.recolour, name="fabric-recolour"),
    path("fabrics/large/", fabrics.large, name="pattern-large"),
    path("fabrics/<uuid:pk>/large/", fabrics.large_following, name="pattern-large-status"),
    path("photos/", photos.upload, name="photo-new"),
    path("photos/<uuid:pk>/status/", photos.status, name="photo-status"),
    path("photos/<uuid:pk>/delete/", photos.delete, name="photo-delete"),
    path("looks/", looks.make, name="look-new"),
    path("looks/<uuid:pk>/status/", looks.status, name="look-status"),
    path("looks/<uuid:pk>/publish/", looks.publish, name="look-publish"),
    path("looks/<uuid:pk>/delete/", looks.delete, name="look-delete"),
    path("gallery/looks/", looks.looks, name="looks"),
    path("gallery/looks/<uuid:pk>/", looks.look, name="look"),
    path("jobs/<uuid:pk>/cancel/", work.cancel, name="job-cancel"),
    path("jobs/<uuid:pk>/retry/", work.retry, name="job-retry"),
    path("account/", account.account, name="account"),
]
