"""The only place that builds adapters: what steps are given, made from the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from temporalio.client import Client

from activities.agents.runs import Writer
from activities.llm.offline import OfflineLlm
from activities.people.stripe_accounts import StripeAccounts
from activities.platforms.answers import Answering
from activities.platforms.connectors import Connectors
from activities.platforms.keys import Keys
from activities.ports import Llm
from models.db.database import Database
from models.db.vault import lazy_vault
from models.settings import Settings
from workers.billing import build_stripe
from workers.platforms import build_connectors

ADAPTERS: Final = ("claude", "openai", "ollama")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One process's adapters; `llms` has one for each name that an agent can be configured with."""

    settings: Settings
    db: Database
    temporal: Client
    llms: Mapping[str, Llm]
    stripe: StripeAccounts
    connectors: Connectors = field(default_factory=Connectors)

    @property
    def keys(self) -> Keys:
        """The way to what clients' connections are sealed with."""
        return Keys(self.db, lazy_vault(self.settings), self.connectors)

    def writer(self, model: str | None) -> Writer:
        """Which adapter and model a role gets: its own model, or the deployment's."""
        return writer_of(self.settings, self.llms, model)

    def text_writer(self) -> Writer | None:
        """Which adapter and model write about clients; None where the vendor has no key."""
        return text_writer_of(self.settings, self.llms)

    async def close(self) -> None:
        """Give back what is held: connections of the pool, and to vendors."""
        await self.db.close()
        await self.stripe.close()
        await self.connectors.close()


def writer_of(settings: Settings, llms: Mapping[str, Llm], model: str | None) -> Writer:
    """Which of these adapters answers for the deployment, and with which model."""
    name = settings.llm
    if llms[name].name == "offline":
        return Writer(adapter="offline", model="offline")
    return Writer(adapter=name, model=model or settings.default_model)


def text_writer_of(settings: Settings, llms: Mapping[str, Llm]) -> Writer | None:
    """Which of these adapters writes about clients; None where the vendor has no key."""
    writer = writer_of(settings, llms, None)
    needs_key = writer.adapter in ("claude", "openai")
    return None if needs_key and not is_configured(settings, writer.adapter) else writer


def build_answering(settings: Settings) -> Answering:
    """The models that answer questions within a request of the API."""
    llms = build_llms(settings)
    return Answering(llms=llms, writer=lambda: text_writer_of(settings, llms))


def build_container(settings: Settings, temporal: Client) -> Container:
    """Make every adapter of the deployment."""
    return Container(
        settings=settings,
        db=Database(settings.database_url, settings.database_pool_size),
        temporal=temporal,
        llms=build_llms(settings),
        stripe=build_stripe(settings),
        connectors=build_connectors(settings),
    )


def build_llms(settings: Settings) -> dict[str, Llm]:
    """The adapters by the names of the API.

    On the embedded stack an adapter that nobody configured gives way to the offline writer. In a
    deployment it stays, and its runs fail with what is missing: nobody there wants drafts that
    no model wrote.
    """
    offline = OfflineLlm(settings.offline_words_per_second)
    llms: dict[str, Llm] = {"offline": offline}
    for name in ADAPTERS:
        if settings.mode == "embedded" and not is_configured(settings, name):
            llms[name] = offline
        else:
            llms[name] = _BUILDERS[name](settings)
    return llms


def is_configured(settings: Settings, name: str) -> bool:
    """Whether the settings hold what the adapter needs: a key, or for Ollama an address."""
    if name == "claude":
        return bool(settings.anthropic_api_key)
    if name == "openai":
        return bool(settings.openai_api_key)
    return settings.ollama_base_url is not None


# A vendor's SDK takes seconds to load, so that each is loaded where it is built and not above.


def _claude(settings: Settings) -> Llm:
    from activities.llm.claude import ClaudeLlm

    key = settings.anthropic_api_key
    return ClaudeLlm(
        api_key=key.get_secret_value() if key else None, base_url=settings.anthropic_base_url
    )


def _openai(settings: Settings) -> Llm:
    from activities.llm.openai import OpenAiLlm

    key = settings.openai_api_key
    return OpenAiLlm(
        api_key=key.get_secret_value() if key else None, base_url=settings.openai_base_url
    )


def _ollama(settings: Settings) -> Llm:
    from activities.llm.ollama import OllamaLlm

    return OllamaLlm(base_url=settings.ollama_base_url)


_BUILDERS: Final[Mapping[str, Callable[[Settings], Llm]]] = {
    "claude": _claude,
    "openai": _openai,
    "ollama": _ollama,
}
