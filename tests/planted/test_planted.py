"""Every planted bug is noticed, each by the check that is named for it; without it the same days look whole."""

import pytest

from tests.planted.bugs import BUGS, Bug
from tests.planted.deeds import Deed

pytestmark = pytest.mark.django_db


def answer(deed: Deed) -> list[str]:
    try:
        return deed()
    except Exception as error:
        return [f"raised {error!r}"]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.family}: {bug.name}")
def test_planted_bug_is_caught(bug: Bug) -> None:
    with bug.patch():
        found = answer(bug.deed)

    assert [line for line in found if line.startswith(bug.caught_by)], found


@pytest.mark.parametrize("deed", sorted({bug.deed for bug in BUGS}, key=lambda deed: deed.__name__))
def test_deed_without_bug_finds_nothing(deed: Deed) -> None:
    assert answer(deed) == []
