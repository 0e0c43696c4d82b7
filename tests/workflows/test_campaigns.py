"""A campaign from its brief to the archive, with real steps, real PostgreSQL, real Temporal."""

from models.rules.vocabulary import DeliverableType
from tests.workflows.harness import Engine


async def test_a_brief_becomes_approved_and_finished_work(engine: Engine) -> None:
    campaign_id = await engine.submit((DeliverableType.BLOG_POST, 1))
    approval = await engine.pending_approval(campaign_id)
    resolved = await engine.resolve(approval.id)
    assert resolved.re_enqueued == 1
    done = await engine.activity(campaign_id, "blog_post", "done")
    assert done.output_id is not None
