"""WSGI entry point for gunicorn: `gunicorn config.wsgi`."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# What was loaded stays: without this the collector looks through all of it again after every few dozen pages, and
# one person waits for it as long as for a page.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
