"""The package's pages where its README mounts them."""

from django.urls import include, path

urlpatterns = [
    path("whatsapp/", include("django_meta_whatsapp.urls", namespace="django_meta_whatsapp")),
]
