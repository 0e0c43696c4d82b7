"""Every setting of a deployment, read from THROUGHLINE_* variables or a .env file."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One deployment's settings; the defaults are those of the embedded stack."""

    model_config = SettingsConfigDict(
        env_prefix="THROUGHLINE_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    mode: Literal["embedded", "deployment"] = "embedded"
    data_dir: Path = Path(".throughline")

    # PostgreSQL: the application's role owns nothing; the owner's URL is for migrations alone.
    database_url: str = "postgresql+psycopg://throughline_app@127.0.0.1:5433/throughline"
    owner_database_url: str = "postgresql+psycopg://postgres@127.0.0.1:5433/throughline"
    database_pool_size: int = 12

    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr | None = None
    temporal_tls: bool = False
    payload_key: SecretStr | None = None
    worker_metrics_address: str | None = None

    api_host: str = "127.0.0.1"
    api_port: int = 8080
    api_max_body_bytes: int = 1_048_576
    api_workflow_wait_seconds: float = 55.0
    """How long a request waits for the result of a workflow before it answers 503."""
    public_url: str = "http://127.0.0.1:8080"
    rate_limit_per_minute: int = 6000

    # Identity: a JWKS URL of an issuer, or the embedded issuer's own key in the data folder.
    jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    signing_key_file: Path | None = None
    cursor_secret: SecretStr | None = None
    master_key: SecretStr | None = None
    """What seals credentials: 32 bytes in base64; to rotate, the new key in front of the old ones,
    separated by commas. On the embedded stack without it, a file in the data folder."""

    stripe_base_url: str = "https://api.stripe.com"

    # Where the platforms are. Shopify's and Mailchimp's hosts are part of the credentials.
    meta_base_url: str = "https://graph.facebook.com"
    google_ads_base_url: str = "https://googleads.googleapis.com"
    google_oauth_url: str = "https://oauth2.googleapis.com/token"
    google_analytics_base_url: str = "https://analyticsdata.googleapis.com"
    google_search_console_base_url: str = "https://searchconsole.googleapis.com"
    tiktok_base_url: str = "https://business-api.tiktok.com"
    linkedin_base_url: str = "https://api.linkedin.com"
    linkedin_oauth_url: str = "https://www.linkedin.com/oauth/v2"
    shopify_base_url: str = "https://{shop}"
    klaviyo_base_url: str = "https://a.klaviyo.com"
    mailchimp_base_url: str = "https://{data_center}.api.mailchimp.com"

    llm: Literal["claude", "openai", "ollama"] = "claude"
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    ollama_base_url: str | None = None
    claude_model: str = "claude-sonnet-5-5"
    openai_model: str = "gpt-5.4-mini"
    ollama_model: str = "llama3.1"
    max_output_tokens: int = 4096
    offline_words_per_second: float = 60.0
    """How fast the offline writer streams; 0 writes at once (tests, benchmarks)."""

    # What a deployment must have of a vendor before clients can be connected to its platforms.
    google_ads_developer_token: SecretStr | None = None
    google_oauth_client_id: SecretStr | None = None
    google_oauth_client_secret: SecretStr | None = None
    linkedin_client_id: SecretStr | None = None
    linkedin_client_secret: SecretStr | None = None

    log_level: str = "INFO"
    log_format: Literal["json", "console"] = "json"

    @property
    def default_model(self) -> str:
        """The deployment's model, for agents that name none of their own."""
        models = {
            "claude": self.claude_model,
            "openai": self.openai_model,
            "ollama": self.ollama_model,
        }
        return models[self.llm]

    @property
    def platform_settings(self) -> dict[str, SecretStr]:
        """The settings of vendors that are there, by the names that platforms ask for them."""
        known = {
            "GOOGLE_ADS_DEVELOPER_TOKEN": self.google_ads_developer_token,
            "GOOGLE_OAUTH_CLIENT_ID": self.google_oauth_client_id,
            "GOOGLE_OAUTH_CLIENT_SECRET": self.google_oauth_client_secret,
            "LINKEDIN_CLIENT_ID": self.linkedin_client_id,
            "LINKEDIN_CLIENT_SECRET": self.linkedin_client_secret,
        }
        return {name: value for name, value in known.items() if value is not None}


@lru_cache
def settings() -> Settings:
    """Read the settings once a process."""
    return Settings()
