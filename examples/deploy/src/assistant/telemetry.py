"""The metrics that the alerts and the dashboard of the rendered monitoring read."""

from prometheus_client import Counter, Histogram

REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Time of a request.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
MODEL_CALLS = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "Time of a model call.",
    ["gen_ai_request_model", "error_type"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
TOKENS = Histogram(
    "gen_ai_client_token_usage",
    "Tokens of a model call.",
    ["gen_ai_request_model", "gen_ai_token_type"],
    buckets=(16, 64, 256, 1024, 4096, 16384, 65536),
)
COST = Counter("llm_cost_usd", "US dollars of model calls.", ["model"])
