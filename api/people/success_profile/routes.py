"""A client's success profile: read, and answered question by question."""

from datetime import UTC, datetime

from fastapi import APIRouter

from api.http.db import ReadDb, WriteDb
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.rights import ClientEditor, ClientViewer
from api.people.success_profile.schemas import (
    ProfileAnsweredOut,
    ProfileFoundOut,
    SuccessProfilePatch,
)
from models.queries.people import client_profiles, success_profiles

router = APIRouter(prefix="/{company_id}/success-profile", tags=["Success profile"])


@router.get("", summary="Show a client's success profile", responses=problems(404))
async def get_success_profile(
    company_id: UlidPath, viewer: ClientViewer, db: ReadDb
) -> ProfileFoundOut:
    """Show the client's answers to the success questionnaire, and whether it is complete."""
    await client_profiles.require(db, company_id)
    return ProfileFoundOut.of(await success_profiles.of_client(db, company_id))


@router.patch("", summary="Answer questions of the success profile", responses=problems(404))
async def answer_success_profile(
    company_id: UlidPath, patch: SuccessProfilePatch, editor: ClientEditor, db: WriteDb
) -> ProfileAnsweredOut:
    """Create the success profile, or change the answers that are sent."""
    profile = await success_profiles.answer(
        db, company_id, patch.answers(), actor=editor.actor, at=datetime.now(UTC)
    )
    return ProfileAnsweredOut.of(profile)
