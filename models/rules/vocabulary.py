"""The closed sets of the contract, by their wire values."""

from enum import StrEnum


class Role(StrEnum):
    """A person's role in a tenant."""

    ADMIN = "admin"
    MEMBER = "member"
    REVIEWER = "reviewer"


class PrincipalType(StrEnum):
    """Who acts: a person or an agent."""

    AGENT = "agent"
    HUMAN = "human"


class PrincipalStatus(StrEnum):
    """Whether a principal may act; a locked account or a paused agent is inactive."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    TERMINATED = "terminated"


class CampaignStatus(StrEnum):
    """Where a campaign stands in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    ARCHIVED = "archived"


class DeliverableType(StrEnum):
    """What a campaign can order."""

    BLOG_POST = "blog_post"
    SOCIAL_POST = "social_post"
    GBP_POST = "gbp_post"
    AD_COPY = "ad_copy"
    EMAIL_NEWSLETTER = "email_newsletter"
    BACKLINK = "backlink"
    WEBSITE_AUDIT = "website_audit"
    PERFORMANCE_REPORT = "performance_report"


class ChannelType(StrEnum):
    """The platforms that a channel can be on."""

    LINKEDIN = "linkedin"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    TIKTOK = "tiktok"
    WORDPRESS = "wordpress"
    GOOGLE_BUSINESS_PROFILE = "google_business_profile"
    GOOGLE_ADS = "google_ads"
    META_ADS = "meta_ads"
    MAILCHIMP = "mailchimp"
    KLAVIYO = "klaviyo"
    GOOGLE_ANALYTICS = "google_analytics"
    GOOGLE_SEARCH_CONSOLE = "google_search_console"


class ActivityType(StrEnum):
    """What an agent activity makes."""

    BLOG_POST = "blog_post"
    SOCIAL_POST = "social_post"
    GBP_POST = "gbp_post"
    AD_COPY = "ad_copy"
    EMAIL_NEWSLETTER = "email_newsletter"
    BACKLINK = "backlink"
    WEBSITE_AUDIT = "website_audit"
    PERFORMANCE_REPORT = "performance_report"
    CAMPAIGN_PLANNING = "campaign_planning"
    RESEARCH = "research"
    REVIEW = "review"
    PUBLISHING = "publishing"
    RECURRING_TASK = "recurring_task"


class ActivityStatus(StrEnum):
    """Where an agent activity stands."""

    CREATED = "created"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_SUBTASK = "awaiting_subtask"
    AWAITING_REVIEW = "awaiting_review"
    BLOCKED = "blocked"
    DONE = "done"
    REASSIGNED = "reassigned"
    FAILED = "failed"


class WakeReason(StrEnum):
    """Why an activity was last enqueued or held."""

    PLANNED = "planned"
    DEPENDENCY_DONE = "dependency_done"
    CONTENT_REQUEST = "content_request"
    SCHEDULE_FIRED = "schedule_fired"
    MANUAL_TRIGGER = "manual_trigger"
    REVIEW_APPROVED = "review_approved"
    REVIEW_FEEDBACK = "review_feedback"
    SUBTASKS_DONE = "subtasks_done"
    SUBTASK_FAILED = "subtask_failed"
    COMMENT_MENTION = "comment_mention"
    AUTO_RETRY = "auto_retry"
    MANUAL_RETRY = "manual_retry"
    HANDED_OVER = "handed_over"
    CAMPAIGN_RESUMED = "campaign_resumed"
    BUDGET_RAISED = "budget_raised"
    CHANNEL_CONNECTED = "channel_connected"
    APPROVAL_EXPIRED = "approval_expired"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_ARCHIVED = "campaign_archived"
    BUDGET_EXHAUSTED = "budget_exhausted"
    CHANNEL_DISCONNECTED = "channel_disconnected"


class RunError(StrEnum):
    """Why a run failed, on the wire."""

    TIMEOUT = "timeout"
    MODEL_ERROR = "model_error"
    TOOL_ERROR = "tool_error"
    COST_LIMIT_EXCEEDED = "cost_limit_exceeded"
    CANCELLED = "cancelled"
    INTERNAL_ERROR = "internal_error"


class RunStatus(StrEnum):
    """How a run stands; only the ended ones are on the wire."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"


class ApprovalType(StrEnum):
    """What an approval is about."""

    CONTENT_REVIEW = "content_review"
    CONTENT_DIRECTION = "content_direction"
    BRAND_DIRECTION = "brand_direction"
    STRATEGY_CHANGE = "strategy_change"
    BUDGET_AUTHORIZATION = "budget_authorization"
    CHANNEL_ACTION = "channel_action"


class RiskLevel(StrEnum):
    """How much can go wrong."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ApprovalStatus(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Resolution(StrEnum):
    """What an admin decided."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REVISION_REQUESTED = "revision_requested"


class OutputFormat(StrEnum):
    """How an output is written."""

    MARKDOWN = "markdown"
    HTML = "html"
    PLAIN = "plain"


class CommentType(StrEnum):
    """A remark, or a note that the running agent must read at its next turn."""

    COMMENT = "comment"
    INTERVENTION_NOTE = "intervention_note"


class AgentStatus(StrEnum):
    """How an agent role stands in a tenant."""

    ACTIVE = "active"
    RUNNING = "running"
    IDLE = "idle"
    ERROR = "error"
    PAUSED = "paused"
    TERMINATED = "terminated"


class EventKind(StrEnum):
    """The tenant's events (SSE event names)."""

    ACTIVITY_STARTED = "activity_started"
    ACTIVITY_COMPLETED = "activity_completed"
    ACTIVITY_FAILED = "activity_failed"
    APPROVAL_CREATED = "approval_created"
    APPROVAL_EXPIRING = "approval_expiring"
    BUDGET_ALERT = "budget_alert"
    NOTIFICATION_CREATED = "notification_created"


class BudgetAlert(StrEnum):
    """Which share of its cap a campaign has spent."""

    CAP_90 = "campaign_cap_90pct"
    CAP_100 = "campaign_cap_100pct"
