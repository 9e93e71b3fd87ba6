"""Names of metrics and of their labels, as alerts, dashboards and exporters agree on them.

A service's own metrics follow OpenTelemetry's semantic conventions, as its Prometheus exporter
spells them; only the cost of model calls has no convention, so that name is ours.
"""

from sdlc_cli.deploy.escape import promql

# What the service exports.
REQUEST_SECONDS = "http_server_request_duration_seconds"  # histogram
REQUEST_STATUS = "http_response_status_code"  # its label
MODEL_SECONDS = "gen_ai_client_operation_duration_seconds"  # histogram
MODEL_ERROR = "error_type"  # its label, there only when the call failed
MODEL_NAME = "gen_ai_request_model"  # label of every model metric
MODEL_TOKENS = "gen_ai_client_token_usage"  # histogram
MODEL_DIRECTION = "gen_ai_token_type"  # its label: input, output
COST_USD = "llm_cost_usd_total"  # counter of US dollars
COST_MODEL = "model"  # its label

# What Prometheus knows of a target.
UP = "up"

# What the kubelet, kube-state-metrics, node-exporter and others export.
CPU_SECONDS = "container_cpu_usage_seconds_total"
CPU_PERIODS = "container_cpu_cfs_periods_total"
CPU_THROTTLED = "container_cpu_cfs_throttled_periods_total"
MEMORY_BYTES = "container_memory_working_set_bytes"
LIMITS = "kube_pod_container_resource_limits"
RESTARTS = "kube_pod_container_status_restarts_total"
WAITING = "kube_pod_container_status_waiting_reason"
TERMINATED = "kube_pod_container_status_last_terminated_reason"
PHASE = "kube_pod_status_phase"
POD = "kube_pod_info"
REPLICAS_WANTED = "kube_deployment_spec_replicas"
REPLICAS_AVAILABLE = "kube_deployment_status_replicas_available"
DEPLOYMENT_CONDITION = "kube_deployment_status_condition"
AUTOSCALER_REPLICAS = "kube_horizontalpodautoscaler_status_current_replicas"
AUTOSCALER_MAXIMUM = "kube_horizontalpodautoscaler_spec_max_replicas"
DISK_FREE = "node_filesystem_avail_bytes"
DISK_SIZE = "node_filesystem_size_bytes"
CERTIFICATE_EXPIRY = "certmanager_certificate_expiration_timestamp_seconds"
PROBED_EXPIRY = "probe_ssl_earliest_cert_expiry"
SPANS_LOST = "otelcol_exporter_send_failed_spans"  # _total, or not, by the collector's version

# What recording rules make of them: one series for a service and environment.
REQUESTS = "service:http_requests:rate5m"
LATENCY_P95 = "service:http_request_duration_seconds:p95_5m"
COST_HOUR = "service:llm_cost_usd:increase1h"
COST_DAY = "service:llm_cost_usd:increase1d"


def error_ratio(window: str) -> str:
    """The recorded share of failed requests over `window` ("5m"), from 0 to 1."""
    return f"service:http_request_errors:ratio_rate{window}"


def series(name: str, /, *matchers: str, **labels: str) -> str:
    """A PromQL selector: `name{label="value",…}`. `matchers` are written as they are."""
    said = [f"{label}={promql(value)}" for label, value in labels.items()]
    return f"{name}{{{','.join([*said, *matchers])}}}"
