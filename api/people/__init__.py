"""The area's routes."""

from fastapi import APIRouter

router = APIRouter()
