"""The platforms that a process can ask."""

from collections.abc import Iterator, Mapping

import httpx

from activities.connectors.ports import Connector
from models.rules.platforms.registry import PlatformId


class Connectors(Mapping[PlatformId, Connector]):
    """The connectors by platform; one whose application settings lack is left out."""

    def __init__(
        self,
        connectors: Mapping[PlatformId, Connector] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._connectors = dict(connectors or {})
        self._http = http

    def __getitem__(self, platform: PlatformId) -> Connector:
        return self._connectors[platform]

    def __iter__(self) -> Iterator[PlatformId]:
        return iter(self._connectors)

    def __len__(self) -> int:
        return len(self._connectors)

    async def close(self) -> None:
        """Close the connections to the platforms."""
        if self._http is not None:
            await self._http.aclose()
