"""A campaign's dates: its start, its months, its end. Days pass on a server that skips time."""

from tests.workflows.scripted_llm import refused
from tests.workflows.studio import REPORT, Calendar, Studio

REPORTING = "performance_report"
_REPORTS = "select * from agent_activity where campaign_id = :id and type = 'performance_report'"
_PERIODS = "select * from deliverable_period where campaign_id = :id order by number"


async def test_nothing_starts_before_the_start_date(calendar: Calendar) -> None:
    start = await calendar.day(10)
    campaign_id = await calendar.submit((REPORT, 1), start_date=start)
    await calendar.campaign_is(campaign_id, "active")
    assert await calendar.rows(_PERIODS, id=campaign_id) == []
    async with calendar.passing(days=11):
        done = await calendar.activity(campaign_id, REPORTING, "done")
    assert done.completed_at.date() == start
    assert done.wake_reason == "planned"


async def test_months_are_counted_from_the_start_date(calendar: Calendar) -> None:
    start = await calendar.day(3)
    campaign_id = await calendar.submit((REPORT, 1), start_date=start)
    async with calendar.passing(days=4):
        period = await calendar.until(_PERIODS, id=campaign_id)
    assert (period.number, period.period_start, period.target) == (0, start, 1)


async def test_each_month_opens_a_period_with_the_whole_plan(calendar: Calendar) -> None:
    campaign_id = await calendar.submit((REPORT, 1))
    await calendar.activity(campaign_id, REPORTING, "done")
    await calendar.continued(campaign_id)
    async with calendar.passing(days=32):
        await calendar.until(f"{_REPORTS} and status = 'done' offset 1", id=campaign_id)
    periods = await calendar.rows(_PERIODS, id=campaign_id)
    assert [(one.number, one.target) for one in periods] == [(0, 1), (1, 1)]


async def test_a_campaign_completes_when_it_is_over_and_all_is_done(calendar: Calendar) -> None:
    end = await calendar.day(5)
    campaign_id = await calendar.submit((REPORT, 1), end_date=end)
    await calendar.activity(campaign_id, REPORTING, "done")
    await calendar.continued(campaign_id)
    async with calendar.passing(days=7):
        completed = await calendar.campaign_is(campaign_id, "completed")
    assert (completed.updated_on.date() - end).days == 1


async def test_a_completed_campaign_can_be_archived(calendar: Calendar) -> None:
    campaign_id = await calendar.submit((REPORT, 1), end_date=await calendar.day(5))
    await calendar.activity(campaign_id, REPORTING, "done")
    await calendar.continued(campaign_id)
    async with calendar.passing(days=7):
        await calendar.campaign_is(campaign_id, "completed")
    await calendar.archive(campaign_id)
    await calendar.campaign_is(campaign_id, "archived")


async def test_a_campaign_continues_as_new_once_a_period_is_open(studio: Studio) -> None:
    campaign_id = await studio.submit((REPORT, 1))
    first = (await studio.campaign(campaign_id).describe()).run_id
    await studio.activity(campaign_id, REPORTING, "done")
    await studio.change(campaign_id, name="Goes on")
    assert (await studio.campaign(campaign_id).describe()).run_id != first


async def test_a_failed_activity_does_not_keep_a_campaign_from_completing(
    calendar: Calendar,
) -> None:
    calendar.llm.always(REPORTING, refused())
    campaign_id = await calendar.submit((REPORT, 1), end_date=await calendar.day(5))
    await calendar.activity(campaign_id, REPORTING, "failed")
    await calendar.continued(campaign_id)
    async with calendar.passing(days=7):
        await calendar.campaign_is(campaign_id, "completed")


async def test_a_campaign_that_starts_late_opens_all_periods_that_have_begun(
    studio: Studio,
) -> None:
    found = await studio.rows("select (current_date - interval '40 days')::date as day")
    campaign_id = await studio.submit((REPORT, 1), start_date=found[0].day)
    await studio.until(f"{_REPORTS} and status = 'done' offset 1", id=campaign_id)
    periods = await studio.rows(_PERIODS, id=campaign_id)
    assert [one.number for one in periods] == [0, 1]
