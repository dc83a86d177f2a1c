"""Saving a location's page as a person does it, the page that asks before it among that."""

from typing import Any

from django.test import Client

from config.kernel.admin import admin_url
from inventory.models import Location


def typed(client: Client, location: Location, **changes: Any) -> dict[str, Any]:
    """The page as it stands, with what somebody changes on it; an unticked box is ""."""
    form = client.get(admin_url(Location, "change", location.pk)).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields} | changes
    return values | {"bins-TOTAL_FORMS": 0, "bins-INITIAL_FORMS": 0, "_save": "1"}


def save_location(client: Client, location: Location, **changes: Any) -> Any:
    """The answer to the save, and to the button of the page that asks where there is one."""
    url = admin_url(Location, "change", location.pk)
    answer = client.post(url, typed(client, location, **changes))
    if answer.status_code == 302:
        return answer
    return client.post(url, dict(answer.context["hidden"]))
