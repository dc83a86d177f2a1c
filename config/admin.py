"""People and roles: Django's own pages, with every permission in the reader's words."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashField, UserChangeForm, UserCreationForm
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import SeenAdmin, TabularInline
from config.kernel.visibility import visible_to
from config.roles import ROLE_WORDS
from inventory.models import Location, StaffLocation

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


def role_words(group: Group) -> str:
    """What a role is called; a group that somebody made keeps its own name."""
    return str(ROLE_WORDS.get(group.name, group.name))


class RoleChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Group) -> str:
        return role_words(obj)


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
        if db_field.related_model is Group:
            kwargs["form_class"] = RoleChoice
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class PersonForm(UserChangeForm):
    password = ReadOnlyPasswordHashField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("Kept so that nobody can read it; the button sets another."),
    )


class StaffLocationInline(TabularInline):
    """The locations that a person is bound to; each once."""

    model = StaffLocation
    verbose_name = gettext_lazy("location")
    verbose_name_plural = gettext_lazy("Only these locations (none means the whole business)")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A manager who is bound passes on no more than they see themselves."""
        if db_field.name == "location":
            kwargs["queryset"] = visible_to(request.user, Location.objects.all())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("auth.view_user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("auth.change_user")

    has_add_permission = has_delete_permission = has_change_permission


# What nobody below a superuser may give: it is more than they hold themselves.
SUPERUSERS_ONLY = frozenset({"is_superuser", "user_permissions"})


@admin.register(User)
class PersonAdmin(InWords, UserAdmin):
    form = PersonForm
    inlines = (StaffLocationInline,)
    list_display = ("username", "known_as", "email", "roles", "places", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    # Without Django's question whether there is a password at all: here is no other way in.
    add_form = UserCreationForm
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email")}),
        (
            gettext_lazy("Rights"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups", "staff_locations__location")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        given = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return given
        return [
            (
                title,
                {**options, "fields": [name for name in options["fields"] if name not in SUPERUSERS_ONLY]},
            )
            for title, options in given
        ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What people did names them; whoever leaves is made inactive."""
        return False

    @admin.display(description=gettext_lazy("name"), ordering="first_name")
    def known_as(self, row: User) -> str:
        return row.get_full_name() or "–"

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, row: User) -> str:
        said = [role_words(group) for group in row.groups.all()]
        return ", ".join([*([_("Superuser")] if row.is_superuser else []), *said]) or "–"

    @admin.display(description=gettext_lazy("locations"))
    def places(self, row: Any) -> str:
        return ", ".join(str(one.location) for one in row.staff_locations.all()) or _("all")


@admin.register(Group)
class RoleAdmin(InWords, GroupAdmin):
    list_display = ("role",)

    @admin.display(description=gettext_lazy("role"), ordering="name")
    def role(self, row: Group) -> str:
        return role_words(row)
