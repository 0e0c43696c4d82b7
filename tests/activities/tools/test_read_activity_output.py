from models.ids import new_id
from tests.activities.tools.conftest import Desk
from tests.factories.agents import make_activity, make_campaign, make_output, make_tenant

NAME = "read_activity_output"
UNKNOWN = ["activityId: there is no such activity in this campaign."]


async def test_the_newest_output_counts(desk: Desk):
    other = await make_activity(desk.database, desk.tenant, desk.context.campaign_id, title="Look")
    await make_output(desk.database, desk.tenant, other, "old")
    await make_output(desk.database, desk.tenant, other, "new")
    assert await desk.say(NAME, {"activityId": other}) == {
        "activityId": other, "title": "Look", "type": "blog_post", "status": "in_progress",
        "format": "markdown", "text": "new", "totalCharacters": 3, "nextOffset": None,
    }  # fmt: skip


async def test_a_long_output_is_read_page_by_page(desk: Desk):
    text = "".join(f"{n:04} ü" for n in range(7000))
    await make_output(desk.database, desk.tenant, desk.context.activity_id, text)
    pages: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = await desk.say(NAME, {"activityId": desk.context.activity_id, "offset": offset})
        pages.append(page["text"])
        offset = page["nextOffset"]
    assert [len(page) for page in pages] == [20_000, 20_000, 2_000]
    assert "".join(pages) == text


async def test_what_has_no_output_yet_says_how_it_stands(desk: Desk):
    assert await desk.problems(NAME, {"activityId": desk.context.activity_id}) == [
        "The activity has no output yet; it is in_progress."
    ]


async def test_other_campaigns_and_tenants_are_out_of_sight(desk: Desk):
    campaign = await make_campaign(desk.database, desk.tenant)
    near = await make_activity(desk.database, desk.tenant, campaign)
    await make_output(desk.database, desk.tenant, near, "secret")
    stranger = await make_tenant(desk.database)
    far = await make_activity(desk.database, stranger, await make_campaign(desk.database, stranger))
    await make_output(desk.database, stranger, far, "secret")
    for unknown in (near, far, new_id(), "", "../etc"):
        assert await desk.problems(NAME, {"activityId": unknown}) == UNKNOWN


async def test_what_is_wrong_with_the_input_is_named(bare_desk: Desk):
    problems = await bare_desk.problems(NAME, {"id": "x", "offset": -1})
    assert problems == [
        "activityId: Field required.",
        "offset: Input should be greater than or equal to 0.",
        "id: Extra inputs are not permitted.",
    ]
