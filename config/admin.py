"""People and roles: Django's own pages, with every permission in the reader's words."""

from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import (
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
    UserCreationForm,
)
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.plugins.otp_totp.admin import TOTPDevice

from config.access.factors import about, has_factor, remove_factor
from config.access.sessions import end_sessions, follow_key
from config.kernel.actors import places_of
from config.kernel.admin import (
    ComparedForm,
    ComparedMixin,
    ComparedRows,
    ComparedTabularInline,
    SeenAdmin,
    acting,
    admin_url,
)
from config.kernel.admin.proof import asks_first, sensitive
from config.kernel.errors import BancaleError
from config.kernel.events import Entry, Thread, record_events
from config.kernel.templatetags.bancale import badge, localtime
from config.kernel.visibility import visible_to
from config.roles import ROLE_WORDS
from inventory.models import Location, StaffLocation

DJANGO_ONLY = ("admin", "contenttypes", "sessions")

admin.site.unregister([User, Group, TOTPDevice])


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
    room = _("People") if opts.app_label == "auth" else opts.app_config.verbose_name
    return f"{room}: {said}"


def role_words(group: Group) -> str:
    """What a role is called; a group that somebody made keeps its own name."""
    return str(ROLE_WORDS.get(group.name, group.name))


# Everywhere people read it; the option of Django's own model stays, so that no migration wants to change it.
Group._meta.verbose_name = gettext_lazy("role")
Group._meta.verbose_name_plural = gettext_lazy("roles")
Group.__str__ = role_words  # type: ignore[method-assign, assignment]


class RoleFilter(RelatedFieldListFilter):
    """By role, as roles are called."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.title = _("role")

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return [(group.pk, role_words(group)) for group in Group.objects.order_by("name")]


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
            kwargs["widget"] = forms.CheckboxSelectMultiple
            kwargs["label"] = _("Roles")
            kwargs["help_text"] = _("A person has the rights of all their roles.")
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class PasswordSet(ReadOnlyPasswordHashWidget):
    """Whether there is a password; not how it is kept."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        is_set = bool(value) and is_password_usable(value)
        context["summary"] = [{"label": _("A password is set.") if is_set else _("No password is set.")}]
        context["button_label"] = _("Set another password…") if is_set else _("Set a password…")
        return context


class PersonForm(ComparedForm, UserChangeForm):
    told_by = ("person_changed", "roles_changed")
    password = ReadOnlyPasswordHashField(
        label=gettext_lazy("Password"),
        widget=PasswordSet,
        help_text=gettext_lazy("Kept so that nobody can read it; the button sets another."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django's own help for a person without a password speaks of other ways in: here is none.
        if "password" in self.fields and not self.instance.has_usable_password():
            self.fields["password"].help_text = _("Without one nobody logs in; the button sets one.")


class RoleForm(ComparedForm):
    thread_type = "role"
    told_by = ("role_changed",)


class PlaceRows(ComparedRows):
    """Without any location a person sees the whole business: nobody who is bound opens that to others."""

    may_free = True

    def clean(self) -> None:
        super().clean()
        rows = [form for form in self.forms if form.instance.location_id]
        going: list[Any] = [form for form in rows if self._should_delete_form(form)]  # type: ignore[attr-defined]
        if going and len(going) == len(rows) and not self.may_free:
            raise ValidationError(_("Leave one: without any, the person would see the whole business."))


class StaffLocationInline(ComparedTabularInline):
    """The locations that a person is bound to; each once."""

    model = StaffLocation
    formset = PlaceRows
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

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        rows: Any = super().get_formset(request, obj, **kwargs)
        rows.may_free = places_of(request.user) is None
        return rows


# Said by events of their own, or secret.
UNSAID = frozenset({"groups", "password", "password1", "password2"})


class Standing(NamedTuple):
    """A person's roles and locations."""

    roles: frozenset[str]
    places: frozenset[str]


def standing(person: User) -> Standing:
    places = StaffLocation.objects.filter(user=person).values_list("location__code", flat=True)
    return Standing(frozenset(person.groups.values_list("name", flat=True)), frozenset(places))


def changes(person: User, before: Standing, fields: list[str], *, is_new: bool) -> list[Entry]:
    """What a save did to a person, as events."""
    now, found = standing(person), []
    if is_new:
        found.append(about(person, "person_added"))
    elif fields:
        found.append(about(person, "person_changed", fields=fields))
    if now.roles != before.roles:
        added, removed = sorted(now.roles - before.roles), sorted(before.roles - now.roles)
        found.append(about(person, "roles_changed", added=added, removed=removed))
    if now.places != before.places:
        found.append(about(person, "places_changed", codes=sorted(now.places)))
    return found


# What nobody below a superuser may give: it is more than they hold themselves.
SUPERUSERS_ONLY = frozenset({"is_superuser", "user_permissions"})


def rights_of(person: Any) -> set[int]:
    """The permissions that a person holds, of an inactive one those that they would hold; one statement."""
    held = Q(group__user=person) | Q(user=person)
    return set(Permission.objects.filter(held).values_list("pk", flat=True))


def is_within(person: User, user: Any) -> bool:
    """Whether a person may do and see no more than the user. Whoever sets their password acts as them."""
    if user.is_superuser:
        return True
    bound, theirs = places_of(user), places_of(person)
    is_narrower = bound is None or (theirs is not None and theirs <= bound and person.pk != user.pk)
    return is_narrower and not person.is_superuser and rights_of(person) <= rights_of(user)


@admin.register(User)
class PersonAdmin(ComparedMixin, InWords, UserAdmin):
    form = PersonForm
    inlines = (StaffLocationInline,)
    list_display = ("username", "known_as", "address", "roles", "places", "works_here", "seen")
    list_filter = ("is_active", ("groups", RoleFilter))
    filter_horizontal = ("user_permissions",)
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
        (gettext_lazy("Access"), {"fields": ("second_factor", "last_login", "date_joined")}),
    )
    readonly_fields = ("second_factor", "last_login", "date_joined")
    changeform_view = sensitive(UserAdmin.changeform_view)
    add_view = asks_first(UserAdmin.add_view)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.reset_factor)
        return [path("<int:pk>/reset_factor/", view, name="auth_user_reset_factor"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups", "staff_locations__location")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may do or see more than the user is only read."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or is_within(obj, request.user))

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

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Whoever is added works here: all work is on these pages, and without this nobody could log in."""
        obj.is_staff = obj.is_staff or not change
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save roles and locations too, say what was changed, and end the sessions of whoever may work no more."""
        person, before = form.instance, standing(form.instance)
        super().save_related(request, form, formsets, change)
        if not change and (places := places_of(request.user)) is not None:
            # Whom a bound person adds is bound alike.
            StaffLocation.objects.bulk_create(
                StaffLocation(user=person, location_id=pk) for pk in sorted(places)
            )
        if change:
            self.say_kept(request, form)
        changed = form.changed_by_hand if change else form.changed_data
        fields = [str(form.fields[name].label) for name in changed if name not in UNSAID]
        record_events(changes(person, before, fields, is_new=not change), actor=acting(request))
        if not person.is_active:
            end_sessions(person)

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        return self._set_password(request, id, form_url)

    @asks_first
    @sensitive
    def _set_password(self, request: HttpRequest, id: str, form_url: str) -> HttpResponse:
        former = request.session.session_key
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            person = self.get_object(request, id)
            if request.method == "POST" and response.status_code == 302 and person is not None:
                follow_key(former, request.session)
                end_sessions(person, but=str(request.session.session_key))
                record_events([about(person, "password_set")], actor=acting(request))
        return response

    @sensitive
    def reset_factor(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take another's second factor away, because the phone is lost; they set up a new one."""
        person = self.get_queryset(request).filter(pk=pk).first()
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if person is None:
            raise Http404
        url = admin_url(User, "change", pk)
        if request.method == "POST":
            try:
                remove_factor(person, actor=acting(request), kind="factor_reset")
                end_sessions(person, but=str(request.session.session_key))
                messages.success(request, _("The second factor is reset."))
            except BancaleError as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(url)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": person,
            "title": _("Reset the second factor of %(name)s") % {"name": person},
            "effect": _("Reset it"),
            "risk": True,
            "consequences": [
                _("The app and the recovery codes stop working, and all sessions end."),
                _(
                    "Make sure that it is really them who ask: until a new one is set up the password is enough."
                ),
            ],
            "cancel_url": url,
        }
        return TemplateResponse(request, "kernel/confirm.html", context)

    @admin.display(description=gettext_lazy("second factor"))
    def second_factor(self, row: User) -> Any:
        if not row.pk or not has_factor(row):
            return badge(_("Off"), "idle")
        url = admin_url(User, "reset_factor", row.pk)
        return format_html('{} <a href="{}">{}</a>', badge(_("On"), "ok"), url, _("Reset…"))

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Roles are made on their own page; nobody gives one that may do more than they do."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.widget.can_add_related = False
            if not request.user.is_superuser:
                beyond = Permission.objects.exclude(pk__in=rights_of(request.user))
                field.queryset = field.queryset.exclude(permissions__in=beyond)
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What people did names them; whoever leaves is made inactive."""
        return False

    @admin.display(description=gettext_lazy("name"), ordering="first_name")
    def known_as(self, row: User) -> str:
        return row.get_full_name() or "–"

    @admin.display(description=gettext_lazy("e-mail"), ordering="email")
    def address(self, row: User) -> str:
        return row.email or "–"

    @admin.display(description=gettext_lazy("active"), ordering="is_active")
    def works_here(self, row: User) -> Any:
        return badge(_("active"), "ok") if row.is_active else badge(_("off"), "idle")

    @admin.display(description=gettext_lazy("last login"), ordering="last_login")
    def seen(self, row: User) -> Any:
        return localtime(row.last_login)

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, row: User) -> str:
        said = [role_words(group) for group in row.groups.all()]
        return ", ".join([*([_("Superuser")] if row.is_superuser else []), *said]) or "–"

    @admin.display(description=gettext_lazy("locations"))
    def places(self, row: Any) -> str:
        return ", ".join(str(one.location) for one in row.staff_locations.all()) or _("all")


@admin.register(Group)
class RoleAdmin(ComparedMixin, InWords, GroupAdmin):
    """Roles. Those that come with Bancale are found again by their names: nobody renames or deletes them."""

    form = RoleForm
    list_display = ("role",)
    actions = None
    changeform_view = sensitive(GroupAdmin.changeform_view)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("permissions",) if _comes_along(obj) else ("name", "permissions")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _comes_along(obj) and super().has_delete_permission(request, obj)

    def put_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        if _comes_along(obj):
            context["kept_said"] = _("It comes with Bancale and cannot be renamed or deleted.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self.say_kept(request, form)
        subject = ("role", form.instance.pk)
        if fields := [str(form.fields[name].label) for name in form.changed_by_hand]:
            entry = Entry(subject, Thread(*subject), "role_changed", facts={"fields": fields})
            record_events([entry], actor=acting(request))

    @admin.display(description=gettext_lazy("role"), ordering="name")
    def role(self, row: Group) -> str:
        return role_words(row)


def _comes_along(role: Group | None) -> bool:
    return role is not None and role.name in ROLE_WORDS
