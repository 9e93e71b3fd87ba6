"""The shapes of keys and tokens that their issuers publish, and of URLs that carry a password."""

import re
from dataclasses import dataclass

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg

_C, _H, _M = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
# Without the hyphen, a line of hyphens and beginnings would be gone through from each of them.
_START, _END = rb"(?<![A-Za-z0-9_-])", rb"(?![A-Za-z0-9_-])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of secret. `literals`: a file without any of them holds none of its kind.

    The group `secret` of `pattern`, or the whole match, is what must not be shown; `beside` is
    a word, in lower case, that the file must hold too, for shapes that say too little alone.
    """

    rule: str
    what: str
    severity: Severity
    literals: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    beside: bytes = b""


def _shape(
    rule: str,
    what: str,
    pattern: bytes,
    *literals: bytes,
    severity: Severity = _C,
    beside: bytes = b"",
) -> Shape:
    return Shape(
        rule=rule,
        what=what,
        severity=severity,
        literals=literals,
        pattern=re.compile(_START + pattern + _END),
        beside=beside,
    )


# Sources: the issuers' pages on their token formats (AWS IAM identifiers, GitHub "Behind
# GitHub's new authentication token formats", GitLab token overview, Slack token types, Stripe
# API keys, …) and their secret-scanning registrations. Quantifiers are bounded or possessive
# over one class, so that matching takes linear time.
SHAPES: tuple[Shape, ...] = (
    _shape("aws-access-key", msg("AWS access key"), rb"A(?:KI|SI)A[A-Z2-7]{16}", b"AKIA", b"ASIA"),
    _shape("gcp-api-key", msg("Google API key"), rb"AIza[\w-]{35}", b"AIza"),
    _shape("google-oauth", msg("Google OAuth client secret"), rb"GOCSPX-[\w-]{28}", b"GOCSPX-"),
    _shape("google-oauth", msg("Google OAuth token"), rb"ya29\.[\w-]{30,}+", b"ya29."),
    _shape(
        "azure-storage-key", msg("Azure storage account key"),
        rb"AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)", b"AccountKey=",
    ),
    _shape(
        "azure-client-secret", msg("Azure client secret"),
        rb"[A-Za-z0-9_~.]{3}[0-9]Q~[\w~.-]{31,34}", b"Q~",
    ),
    _shape(
        "github-token", msg("GitHub token"), rb"gh[pousr]_[A-Za-z0-9]{36,255}",
        b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_",
    ),
    _shape(
        "github-token", msg("GitHub fine-grained token"),
        rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", b"github_pat_",
    ),
    _shape(
        "gitlab-token", msg("GitLab token"),
        rb"gl(?:pat|rt|dt|cbt|ptt|soat|agent|oas|imt)-[\w.-]{20,}+",
        b"glpat-", b"glrt-", b"gldt-", b"glcbt-", b"glptt-", b"glsoat-", b"glagent-",
        b"gloas-", b"glimt-",
    ),
    _shape(
        "anthropic-key", msg("Anthropic API key"),
        rb"sk-ant-[a-z]{3,8}[0-9]{2}-[\w-]{40,}+", b"sk-ant-",
    ),
    _shape("openrouter-key", msg("OpenRouter API key"), rb"sk-or-v1-[0-9a-f]{64}", b"sk-or-"),
    _shape(
        "openai-key", msg("OpenAI API key"),
        rb"sk-(?:(?:proj|svcacct|admin|None)-[\w-]{40,}+|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"
        rb"|[A-Za-z0-9]{48})",
        b"sk-",
    ),
    _shape("huggingface-token", msg("Hugging Face token"), rb"hf_[A-Za-z0-9]{34}", b"hf_"),
    _shape("groq-key", msg("Groq API key"), rb"gsk_[A-Za-z0-9]{52}", b"gsk_"),
    _shape("xai-key", msg("xAI API key"), rb"xai-[A-Za-z0-9]{80}", b"xai-"),
    _shape("replicate-token", msg("Replicate token"), rb"r8_[A-Za-z0-9]{37}", b"r8_"),
    _shape("perplexity-key", msg("Perplexity API key"), rb"pplx-[A-Za-z0-9]{48}", b"pplx-"),
    _shape(
        "langsmith-key", msg("LangSmith API key"), rb"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
        b"lsv2_",
    ),
    _shape(
        "slack-token", msg("Slack token"),
        rb"(?:xox[abeoprs]-[\w-]{20,}+|xapp-[0-9]-[A-Z0-9]{8,}-[\w-]{20,}+)",
        b"xox", b"xapp-",
    ),
    _shape(
        "slack-webhook", msg("Slack webhook"),
        rb"hooks\.slack\.com/(?:services|workflows)/"
        rb"(?P<secret>T[A-Z0-9]{7,12}/[A-Z0-9]{7,14}/[A-Za-z0-9]{20,40})",
        b"hooks.slack.com", severity=_H,
    ),
    _shape(
        "stripe-key", msg("Stripe live key"), rb"(?:sk|rk)_live_[A-Za-z0-9]{20,250}", b"k_live_"
    ),
    _shape(
        "stripe-test-key", msg("Stripe test key"), rb"(?:sk|rk)_test_[A-Za-z0-9]{20,250}",
        b"k_test_", severity=_M,
    ),
    _shape(
        "stripe-webhook-secret", msg("Stripe webhook secret"), rb"whsec_[A-Za-z0-9+/]{32,}+=*",
        b"whsec_",
    ),
    _shape("twilio-key", msg("Twilio API key"), rb"SK[0-9a-f]{32}", b"SK", beside=b"twilio"),
    _shape("sendgrid-key", msg("SendGrid API key"), rb"SG\.[\w-]{22}\.[\w-]{43}", b"SG."),
    _shape("mailgun-key", msg("Mailgun API key"), rb"key-[0-9a-f]{32}", b"key-", beside=b"mailgun"),
    _shape(
        "mailchimp-key", msg("Mailchimp API key"), rb"[0-9a-f]{32}-us[0-9]{1,2}", b"-us",
        beside=b"mailchimp",
    ),
    _shape("npm-token", msg("npm token"), rb"npm_[A-Za-z0-9]{36}", b"npm_"),
    _shape("pypi-token", msg("PyPI token"), rb"pypi-Ag[EN][\w-]{60,}+", b"pypi-Ag"),
    _shape("rubygems-key", msg("RubyGems API key"), rb"rubygems_[0-9a-f]{48}", b"rubygems_"),
    _shape("docker-token", msg("Docker Hub token"), rb"dckr_[op]at_[\w-]{27,32}", b"dckr_"),
    _shape("databricks-token", msg("Databricks token"), rb"dapi[0-9a-f]{32}(?:-[0-9])?", b"dapi"),
    _shape(
        "grafana-token", msg("Grafana token"),
        rb"(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,}+=*)", b"glsa_", b"glc_",
    ),
    _shape(
        "digitalocean-token", msg("DigitalOcean token"), rb"do[opr]_v1_[0-9a-f]{64}", b"_v1_"
    ),
    _shape("telegram-token", msg("Telegram bot token"), rb"[0-9]{8,10}:AA[\w-]{33}", b":AA"),
    _shape(
        "discord-token", msg("Discord bot token"),
        rb"[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}", b"iscord", b"ISCORD", beside=b"discord",
    ),
    _shape(
        "discord-webhook", msg("Discord webhook"),
        rb"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/(?P<secret>[\w-]{60,70})",
        b"/api/webhooks/", severity=_H,
    ),
    _shape("shopify-token", msg("Shopify token"), rb"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", b"shp"),
    _shape("square-token", msg("Square token"), rb"sq0(?:atp|csp)-[\w-]{22,43}", b"sq0"),
    _shape("newrelic-key", msg("New Relic API key"), rb"NRAK-[A-Z0-9]{27}", b"NRAK-"),
    _shape("vault-token", msg("Vault token"), rb"hv[sbr]\.[\w-]{24,}+", b"hvs.", b"hvb.", b"hvr."),
    _shape(
        "terraform-token", msg("Terraform Cloud token"),
        rb"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}", b".atlasv1.",
    ),
    _shape("linear-key", msg("Linear API key"), rb"lin_api_[A-Za-z0-9]{40}", b"lin_api_"),
    _shape("postman-key", msg("Postman API key"), rb"PMAK-[0-9a-f]{24}-[0-9a-f]{34}", b"PMAK-"),
    _shape(
        "sentry-token", msg("Sentry token"), rb"(?:sntrys_eyJ[\w=+/-]{60,}+|sntryu_[0-9a-f]{64})",
        b"sntry",
    ),
    _shape("atlassian-token", msg("Atlassian token"), rb"ATATT3[\w=-]{150,}+", b"ATATT3"),
    _shape("doppler-token", msg("Doppler token"), rb"dp\.(?:pt|st|ct)\.[\w.-]{40,}+", b"dp."),
    _shape(
        "planetscale-token", msg("PlanetScale token"), rb"pscale_(?:tkn|pw|oauth)_[\w.-]{30,}+",
        b"pscale_",
    ),
    _shape("age-key", msg("age secret key"), rb"AGE-SECRET-KEY-1[0-9A-Z]{58}", b"AGE-SECRET-KEY-"),
    _shape(
        "jwt", msg("JSON web token"),
        rb"eyJ[\w-]{10,}+\.eyJ[\w-]{10,}+\.[\w-]{20,}+", b"eyJ", severity=_H,
    ),
)  # fmt: skip

_BODY = rb"[A-Za-z0-9+/=]|\\[nr]|[\s\"'+,]"  # base64 lines, as they are or in a string
PRIVATE_KEY = Shape(
    rule="private-key",
    what=msg("private key"),
    severity=_C,
    literals=(b"PRIVATE KEY",),
    # A header alone is documentation or code that looks for one; what follows makes it a key.
    pattern=re.compile(
        rb"-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
        rb"(?P<head>(?:[^\n]{0,3}(?:\\n|\r?\n)?[\w-]{4,30}: [^\n\\]{0,80}(?:\\n|\r?\n)){0,6})"
        rb"(?P<secret>(?:" + _BODY + rb"){64,20000}+)"
    ),
)
GCP_ACCOUNT = Shape(
    rule="gcp-service-account",
    what=msg("Google Cloud service account key"),
    severity=_C,
    literals=PRIVATE_KEY.literals,
    pattern=PRIVATE_KEY.pattern,
)

# From `://` on; the scheme is looked for to the left of it.
URL_PASSWORD = re.compile(
    rb"://(?P<user>[^\s:/@\"'<>\\|,;()\[\]{}$`]{0,80}):(?P<secret>[^\s/@\"'<>\\|`]{1,120})@"
    rb"(?P<host>[\w.-]{1,120}|\[[0-9a-fA-F:]{2,40}\])"
)
DATABASES = frozenset({
    "postgres", "postgresql", "mysql", "mariadb", "mongodb", "redis", "rediss", "amqp", "amqps",
    "mssql", "oracle", "clickhouse", "cockroachdb", "snowflake", "db2", "cassandra", "neo4j",
    "bolt", "redshift", "sqlserver", "couchbase", "couchdb", "elasticsearch",
})  # fmt: skip
