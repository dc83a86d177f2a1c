"""Why something is done to stock: stands on movements and events."""

from django import forms
from django.utils.translation import gettext_lazy as _

from inventory.services.adjustments import LONGEST_REASON


class WhyForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)
