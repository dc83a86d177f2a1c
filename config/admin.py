"""People and roles: Django's own pages, with every permission in the reader's words."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashField, UserChangeForm, UserCreationForm
from django.contrib.auth.models import Group, Permission, User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import SeenAdmin

DJANGO_ONLY = ("admin", "contenttypes", "sessions")

admin.site.unregister([User, Group])


def permission_words(permission: Permission) -> str:
    """`Orders: May confirm an order`. The database holds the name in English, and for four verbs in Django's."""
    model = permission.content_type.model_class()
    if model is None:  # left behind by a model that is no more
        return str(permission)
    opts = model._meta
    verb = permission.codename.removesuffix(f"_{opts.model_name}")
    words = {
        "add": _("May add: %(names)s"),
        "change": _("May change: %(names)s"),
        "delete": _("May delete: %(names)s"),
        "view": _("May see: %(names)s"),
    }.get(verb)
    said = words % {"names": opts.verbose_name_plural} if words else _(permission.name)
    return f"{opts.app_config.verbose_name}: {said}"


class PermissionChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Permission) -> str:
        return permission_words(obj)


class InWords(SeenAdmin):
    """Names permissions by their words wherever they are chosen."""

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.related_model is Permission:
            kwargs["form_class"] = PermissionChoice
            # Nothing here asks for those of Django's own tables.
            kwargs["queryset"] = Permission.objects.exclude(content_type__app_label__in=DJANGO_ONLY)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class PersonForm(UserChangeForm):
    password = ReadOnlyPasswordHashField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("Kept so that nobody can read it; the button sets another."),
    )


@admin.register(User)
class PersonAdmin(InWords, UserAdmin):
    form = PersonForm
    # Without Django's question whether there is a password at all: here is no other way in.
    add_form = UserCreationForm
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)


@admin.register(Group)
class RoleAdmin(InWords, GroupAdmin):
    pass
