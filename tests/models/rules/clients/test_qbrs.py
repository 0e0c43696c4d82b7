from models.rules.clients.qbrs import PortalVisibility, QbrSection, is_final, is_shown, merged
from models.rules.clients.vocabulary import QbrStatus

S = QbrSection


def test_at_first_nothing_is_visible_and_two_sections_are_kept_back():
    first = PortalVisibility()
    hidden = {section for section, shown in first.sections.items() if not shown}
    assert (first.visible, hidden) == (False, {S.CHALLENGES, S.DISCUSSION_POINTS})
    assert set(first.sections) == set(QbrSection)


def test_visibility_changes_key_by_key():
    found = merged(PortalVisibility(), visible=None, sections={S.GOALS: False, S.CHALLENGES: True})
    hidden = {section for section, shown in found.sections.items() if not shown}
    assert (found.visible, hidden) == (False, {S.GOALS, S.DISCUSSION_POINTS})


def test_the_portal_shows_what_is_visible_and_presented():
    visible = merged(PortalVisibility(), visible=True, sections={})
    shown = [status for status in QbrStatus if is_shown(status, visible)]
    assert shown == [QbrStatus.PRESENTED]
    assert not is_shown(QbrStatus.PRESENTED, PortalVisibility())


def test_nothing_leaves_presented():
    assert [status for status in QbrStatus if is_final(status)] == [QbrStatus.PRESENTED]
