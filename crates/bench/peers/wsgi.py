"""The application; the Graph API's address is a constant of the package, and set here to the sandbox's."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
application = get_wsgi_application()

from django_meta_whatsapp import utils

utils.GRAPH_BASE = os.environ["PEER_GRAPH"]
