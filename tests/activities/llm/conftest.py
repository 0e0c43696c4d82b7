from collections.abc import Iterator

import pytest

from tests.fakes.llm_vendor import WireModel, serve


@pytest.fixture(scope="module")
def server() -> Iterator[WireModel]:
    with serve() as model:
        yield model


@pytest.fixture
def vendor(server: WireModel) -> WireModel:
    server.reset()
    return server
