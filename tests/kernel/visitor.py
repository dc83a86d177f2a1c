"""A browser without a screen: a logged-in person who reads confirm pages and presses their buttons."""

import re
from html import unescape
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.test import Client

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Visitor(Client):
    """`press` opens a confirm page and posts what it holds; `hidden` are the page's hidden fields."""

    def press(self, url: str, **values: Any) -> Any:
        page = self.get(url)
        return self.post(url, {**hidden(page), **values})


def hidden(page: Any) -> dict[str, str]:
    """The confirm form's hidden fields, without Django's own token."""
    html = page.content.decode()
    found = {name: unescape(value) for name, value in _HIDDEN.findall(html)}
    found.pop("csrfmiddlewaretoken", None)
    return found


def visitor(role: str = "", *permissions: str, superuser: bool = False) -> Visitor:
    """A staff member of a role (a group's name), or with single permissions, or a superuser."""
    users = get_user_model().objects
    name = f"{role or 'staff'}-{users.count()}".lower()
    user = users.create_user(name, is_staff=True, is_superuser=superuser)
    if role:
        user.groups.add(Group.objects.get(name=role))
    for code in permissions:
        app, _dot, codename = code.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Visitor()
    client.force_login(user)
    return client


def messages_of(response: Any) -> list[str]:
    """What a followed redirect says above the page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def text_of(page: Any) -> str:
    """The page's words without its tags."""
    words = re.sub(r"<(script|style)[^>]*>.*?</\1>", " ", page.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", words)))
