"""Every rule: one change of good files that breaks it and nothing else, and an explanation."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from sdlc_cli.core.errors import UsageError
from sdlc_cli.deploy import rules

ALL = "k8s/prod/all.yaml"
NET = "k8s/prod/network.yaml"
DOCKER = "Dockerfile"
COMPOSE = "compose.yaml"
FLOW = ".github/workflows/deploy.yml"
TF = "terraform/main.tf"
MON = "monitoring/rules.yml"
BOARD = "monitoring/dashboard.json"
PAGER = "monitoring/alertmanager.yml"
OTEL = "monitoring/otel-collector.yaml"
STAGING = "k8s/staging/config.yaml"
DIGEST = "@sha256:" + 64 * "2"
BASE = "@sha256:" + 64 * "1"


@dataclass(frozen=True, slots=True)
class Bad:
    """Replace `old` in the file by `new`; without `old` the file gets `new` at its end.

    `also` are rules that cannot but break with it, `without` a file that is taken away.
    """

    rule: str
    path: str
    old: str
    new: str
    also: tuple[str, ...] = ()
    without: str = ""


NEW_POD = """
---
apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: shop-prod, labels: {app: debug}}
spec: {containers: []}
"""
SECOND = """
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop-prod, labels: {app.kubernetes.io/name: shop}}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/name: shop}}
    spec:
      serviceAccountName: shop
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: shop
          image: IMAGE
          imagePullPolicy: Always
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          resources:
            requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}
            limits: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}
"""
ROLE = """
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: other}
rules:
  - {apiGroups: [GROUP], resources: [RESOURCES], verbs: [VERBS]}
"""


UNTRUSTED = """
on: pull_request_target
permissions: {}
concurrency: pr
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false, ref: "${{ github.event.pull_request.head.sha }}"}
"""


def role(resources: str, verbs: str, group: str = '""') -> str:
    """A ClusterRole of one rule."""
    text = ROLE.replace("GROUP", group).replace("RESOURCES", resources)
    return text.replace("VERBS", verbs)


CONTAINERS = (
    Bad("k8s-privileged", ALL, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: true\n"
        "            privileged: true"),
    Bad("k8s-privilege-escalation", ALL, "Escalation: false", "Escalation: true"),
    Bad("k8s-root-user", ALL, "runAsNonRoot: true", "runAsNonRoot: false"),
    Bad("k8s-low-user-id", ALL, "runAsUser: 10001", "runAsUser: 1000"),
    Bad("k8s-capabilities", ALL, "{drop: [ALL]}", "{drop: [ALL], add: [NET_ADMIN]}"),
    Bad("k8s-seccomp", ALL, "RuntimeDefault", "Unconfined"),
    Bad("k8s-writable-root", ALL, "readOnlyRootFilesystem: true", "runAsNonRoot: true"),
    Bad("k8s-no-requests", ALL, "requests: {cpu: 250m, memory: 256Mi, ephemeral-storage: 256Mi}\n"
        '            limits: {cpu: "1", ', "limits: {", ("k8s-no-limits",)),
    Bad("k8s-no-limits", ALL, 'limits: {cpu: "1", memory', "limits: {memory"),
    Bad("k8s-no-storage-limit", ALL, ", ephemeral-storage: 1Gi", ""),
    Bad("k8s-requests-over-limits", ALL, "cpu: 250m", "cpu: 1250m"),
    Bad("k8s-host-port", ALL, "containerPort: 8080", "containerPort: 8080, hostPort: 80"),
    Bad("k8s-mount-without-volume", ALL, "{name: tmp, mountPath: /tmp}",
        "{name: temp, mountPath: /tmp}"),
    Bad("k8s-no-readiness-probe", ALL, "readinessProbe:", "nothing:"),
    Bad("k8s-no-liveness-probe", ALL, "livenessProbe:", "nothing:"),
    Bad("k8s-no-startup-probe", ALL, "startupProbe:", "nothing:"),
    Bad("k8s-identical-probes", ALL, "/health/ready", "/health/live"),
    Bad("k8s-probe-port", ALL, "/health/ready, port: http", "/health/ready, port: web"),
    Bad("k8s-probe-port-number", ALL, "/health/ready, port: http", "/health/ready, port: 8080"),
    Bad("k8s-no-pre-stop", ALL, "lifecycle: {preStop: {sleep: {seconds: 5}}}", "tty: false"),
    Bad("k8s-image-tag", ALL, ":1.2.3" + DIGEST, ":latest",
        ("k8s-image-digest", "cross-chart-image")),
    Bad("k8s-image-digest", ALL, DIGEST, "", ("cross-chart-image",)),
    Bad("k8s-pull-policy", ALL, "imagePullPolicy: Always", "imagePullPolicy: IfNotPresent"),
    Bad("k8s-secret-in-env", ALL, "valueFrom: {configMapKeyRef: {name: shop-config, key: LOG_LEVEL",
        "valueFrom: {secretKeyRef: {name: shop-secrets, key: DATABASE_URL"),
    Bad("k8s-secret-literal", ALL, "          env:",
        "          env:\n            - {name: DB_PASSWORD, value: hunter22}"),
)  # fmt: skip
WORKLOADS = (
    Bad("k8s-host-namespace", ALL, "enableServiceLinks: false",
        "enableServiceLinks: false\n      hostPID: true"),
    Bad("k8s-host-path", ALL, "emptyDir: {sizeLimit: 64Mi}", "hostPath: {path: /var/lib}"),
    Bad("k8s-unsized-volume", ALL, "emptyDir: {sizeLimit: 64Mi}", "emptyDir: {}"),
    Bad("k8s-default-service-account", ALL, "serviceAccountName: shop", "serviceAccount: shop"),
    Bad("k8s-token-mounted", ALL, "      automountServiceAccountToken: false",
        "      automountServiceAccountToken: true"),
    Bad("k8s-service-links", ALL, "enableServiceLinks: false", "enableServiceLinks: true"),
    Bad("k8s-host-users", ALL, "enableServiceLinks: false",
        "enableServiceLinks: false\n      hostUsers: true"),
    Bad("k8s-no-priority-class", ALL, "priorityClassName: shop-prod", "restartPolicy: Always"),
    Bad("k8s-no-anti-affinity", ALL, "kubernetes.io/hostname", "example.com/rack"),
    Bad("k8s-no-zone-spread", ALL, "topology.kubernetes.io/zone", "example.com/rack"),
    Bad("k8s-rollout", ALL, "{maxUnavailable: 0, maxSurge: 1}", "{maxUnavailable: 1}"),
    Bad("k8s-grace-period", ALL, "PeriodSeconds: 70", "PeriodSeconds: 5"),
    Bad("k8s-labels", ALL, "  namespace: shop-prod\n  labels: {app.kubernetes.io/name: shop}",
        "  namespace: shop-prod\n  labels: {app: shop}"),
    Bad("k8s-selector-mismatch", ALL, "  selector:\n    matchLabels: {app.kubernetes.io/name: shop}"
        "\n  template", "  selector:\n    matchLabels: {app.kubernetes.io/name: x}\n  template"),
    Bad("k8s-removed-api", ALL, "apiVersion: policy/v1", "apiVersion: policy/v1beta1"),
    Bad("k8s-unstable-api", ALL, "apiVersion: scheduling.k8s.io/v1",
        "apiVersion: scheduling.k8s.io/v1alpha1"),
    Bad("k8s-no-namespace", ALL, "", "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: x,"
        " labels: {app.kubernetes.io/name: x}}\nspec: {type: ExternalName}\n"),
)  # fmt: skip
SCALING = (
    Bad("k8s-hpa-bounds", ALL, "maxReplicas: 9", "maxReplicas: 2"),
    Bad("k8s-hpa-version", ALL, "autoscaling/v2", "autoscaling/v1"),
    Bad("k8s-hpa-behavior", ALL, "  behavior:\n    scaleDown: {stabilizationWindowSeconds: 300}\n",
        ""),
    Bad("k8s-too-few-replicas", ALL, "minReplicas: 3", "minReplicas: 2"),
    Bad("k8s-replicas-beside-hpa", ALL, "  strategy:\n", "  replicas: 5\n  strategy:\n"),
    Bad("k8s-no-disruption-budget", ALL, "kind: PodDisruptionBudget", "kind: Other"),
    Bad("k8s-budget-blocks-drain", ALL, "maxUnavailable: 1\n", "minAvailable: 3\n"),
    Bad("k8s-budget-unhealthy-pods", ALL, "AlwaysAllow", "IfHealthyBudget"),
)  # fmt: skip
NETWORK = (
    Bad("k8s-no-network-policy", "k8s/other/pod.yaml", "",
        NEW_POD.replace("shop-prod", "shop-other"),
        ("k8s-default-service-account", "k8s-token-mounted", "k8s-service-links")),
    Bad("k8s-no-default-deny", NET, "podSelector: {}", "podSelector: {matchExpressions: "
        "[{key: app.kubernetes.io/name, operator: Exists}]}"),
    Bad("k8s-no-dns", NET, "        - {protocol: TCP, port: 53}\n", ""),
    Bad("k8s-open-policy", NET, "  egress:\n", "  egress:\n    - {}\n"),
    Bad("k8s-exposed-service", NET, "type: ClusterIP", "type: LoadBalancer"),
    Bad("k8s-ingress-without-tls", NET, "hosts: [shop.example.com]", "hosts: [api.example.com]"),
    Bad("k8s-ingress-snippet", NET, "nginx.ingress.kubernetes.io/proxy-body-size: 1m",
        "nginx.ingress.kubernetes.io/server-snippet: x"),
)  # fmt: skip
ACCESS = (
    Bad("k8s-rbac-wildcard", ALL, "", role("'*'", "get")),
    Bad("k8s-rbac-secrets", ALL, "", role("secrets", "get, list")),
    Bad("k8s-rbac-exec", ALL, "", role("pods/exec", "create")),
    Bad("k8s-rbac-escalation", ALL, "", role("roles", "bind", "rbac.authorization.k8s.io")),
    Bad("k8s-rbac-unnamed", ALL, "", role("configmaps", "delete")),
    Bad("k8s-rbac-admin", ALL, "  kind: Role\n  name: shop", "  kind: ClusterRole\n"
        "  name: cluster-admin"),
    Bad("k8s-rbac-everyone", ALL, "  - kind: ServiceAccount\n    name: shop\n",
        "  - kind: ServiceAccount\n    name: default\n"),
    Bad("k8s-plain-secret", ALL, "", "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: x,"
        " namespace: shop-prod}\ndata: {a: aGVsbG8=}\n"),
    Bad("k8s-secret-in-config", ALL, "LOG_LEVEL: info", "LOG_LEVEL: info\n  API_TOKEN: abcdef12"),
    Bad("k8s-pod-security", ALL, "enforce: restricted", "enforce: baseline"),
    Bad("k8s-no-quota", ALL, "kind: ResourceQuota", "kind: Other"),
    Bad("k8s-no-limit-range", ALL, "kind: LimitRange", "kind: Other"),
)  # fmt: skip
DOCKERS = (
    Bad("docker-root-user", DOCKER, "USER 10001:10001\n", ""),
    Bad("docker-named-user", DOCKER, "USER 10001:10001", "USER app"),
    Bad("docker-base-tag", DOCKER, f"FROM python:3.12-slim{BASE}\n", "FROM python\n",
        ("docker-base-digest",)),
    Bad("docker-base-digest", DOCKER, f"FROM python:3.12-slim{BASE}\n", "FROM python:3.12-slim\n"),
    Bad("docker-no-healthcheck", DOCKER, "HEALTHCHECK", "LABEL"),
    Bad("docker-healthcheck-shell", DOCKER, 'CMD ["python", "-m", "app.health"]',
        "CMD python -m app.health"),
    Bad("docker-shell-form", DOCKER, 'ENTRYPOINT ["python", "-m", "app"]',
        "ENTRYPOINT python -m app"),
    Bad("docker-add", DOCKER, "COPY src", "ADD src"),
    Bad("docker-secret", DOCKER, "ENV LOG_LEVEL=info", "ENV API_TOKEN=abcdef12"),
    Bad("docker-unlocked-install", DOCKER, "--require-hashes ", ""),
    Bad("docker-curl-pipe", DOCKER, "EXPOSE", "RUN curl https://example.com/x | sh\nEXPOSE"),
    Bad("docker-sudo", DOCKER, "EXPOSE", "RUN sudo true\nEXPOSE"),
    Bad("docker-build-tools", DOCKER, "EXPOSE",
        "RUN apt-get install -y git && rm -rf /var/lib/apt/lists/*\nEXPOSE"),
    Bad("docker-package-lists", DOCKER, " && rm -rf /var/lib/apt/lists/*", ""),
    Bad("docker-no-ignore", DOCKER, "COPY src /app", "COPY . /app", without=".dockerignore"),
    Bad("compose-privileged", COMPOSE, "build: .", "build: .\n    privileged: true"),
    Bad("compose-host-namespace", COMPOSE, "build: .", "build: .\n    network_mode: host"),
    Bad("compose-docker-socket", COMPOSE, "build: .",
        "build: .\n    volumes: [/var/run/docker.sock:/var/run/docker.sock]"),
    Bad("compose-image-tag", COMPOSE, "postgres:17", "postgres"),
    Bad("compose-secret", COMPOSE, "POSTGRES_PASSWORD_FILE: /run/secrets/password",
        "POSTGRES_PASSWORD: hunter22"),
    Bad("compose-open-port", COMPOSE, "127.0.0.1:8080:8080", "8080:8080"),
    Bad("compose-privilege-escalation", COMPOSE, 'security_opt: ["no-new-privileges:true"]\n'
        "    environment", "init: true\n    environment"),
    Bad("compose-unknown-service", COMPOSE, "[database]", "[databse]"),
)  # fmt: skip
ACTIONS = (
    Bad("actions-unpinned", FLOW, "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7"),
    Bad("actions-permissions", FLOW, "permissions: {}", "permissions: write-all"),
    Bad("actions-credentials", FLOW, "persist-credentials: false", "fetch-depth: 1"),
    Bad("actions-no-timeout", FLOW, "    timeout-minutes: 15\n    permissions",
        "    permissions"),
    Bad("actions-no-concurrency", FLOW, "concurrency:\n  group: deploy\n", ""),
    Bad("actions-injection", FLOW, 'echo "$TITLE"',
        "echo '${{ github.event.head_commit.message }}'"),
    Bad("actions-untrusted-checkout", ".github/workflows/pr.yml", "", UNTRUSTED),
    Bad("actions-no-environment", FLOW, "    environment: production\n", ""),
    Bad("actions-no-rollout-check", FLOW, "rollout status", "get"),
    Bad("actions-deploy-by-tag", FLOW, "kubectl apply --kustomize k8s/prod",
        "kubectl set image deployment/shop shop=registry.example.com/shop:${GITHUB_SHA}"),
    Bad("actions-static-keys", FLOW, "role-to-assume: arn:aws:iam::111122223333:role/deploy",
        "aws-access-key-id: ${{ secrets.KEY }}"),
    Bad("actions-no-attestation", FLOW, "          sbom: true\n", ""),
    Bad("actions-unknown-job", FLOW, "needs: build", "needs: biuld"),
    Bad("actions-inherited-secrets", FLOW, "", "  call:\n    uses: ./.github/workflows/x.yml\n"
        "    secrets: inherit\n"),
    Bad("actions-unlikely-commit", FLOW, "3d3c42e5aac5ba805825da76410c181273ba90b1",
        "3d3c42e5aac5ba805825da76410c181273ba90b2"),
)  # fmt: skip
TERRAFORM = (
    Bad("tf-unpinned-provider", TF, 'version = "6.20.0"', 'version = ">= 6.0"',
        ("tf-unlocked-provider",)),
    Bad("tf-unlocked-provider", TF, 'version = "6.20.0"', 'version = "~> 6.0"'),
    Bad("tf-no-version", TF, '  required_version = ">= 1.10"\n', ""),
    Bad("tf-unpinned-module", TF, '  version = "6.5.0"\n', ""),
    Bad("tf-undescribed", TF, '  description = "Region of everything."\n', ""),
    Bad("tf-untyped", TF, "  type        = string\n  default     = \"eu-west-1\"",
        '  default     = "eu-west-1"'),
    Bad("tf-changing-plan", TF, 'bucket = "example-backups"', "bucket = timestamp()"),
    Bad("tf-local-state", TF, 'backend "s3"', 'backend "local"'),
    Bad("tf-open-state", TF, "encrypt      = true", "encrypt      = false"),
    Bad("tf-secret", TF, "  sensitive   = true", '  default = "abcdef12"\n  sensitive = true'),
    Bad("tf-not-sensitive", TF, "  sensitive   = true", "  nullable = false"),
    Bad("tf-undeclared-variable", TF, "region = var.region", "region = var.regoin"),
)  # fmt: skip
AWS = (
    Bad("tf-unencrypted-rds", TF, "storage_encrypted                   = true", ""),
    Bad("tf-rds-key", TF, "kms_key_id                          = aws_kms_key.main.arn", ""),
    Bad("tf-rds-one-zone", TF, "multi_az                            = true", ""),
    Bad("tf-rds-deletion", TF, "deletion_protection                 = true", ""),
    Bad("tf-rds-password", TF, "manage_master_user_password         = true", ""),
    Bad("tf-rds-iam", TF, "iam_database_authentication_enabled = true", ""),
    Bad("tf-rds-plain-connections", TF, 'value = "1"', 'value = "0"'),
    Bad("tf-rds-logs", TF, '["postgresql"]', "[]"),
    Bad("tf-rds-unwatched", TF, "= 60", "= 0"),
    Bad("tf-rds-backups", TF, "= 14", "= 1"),
    Bad("tf-rds-updates", TF, "auto_minor_version_upgrade          = true", ""),
    Bad("tf-rds-tags", TF, "copy_tags_to_snapshot               = true", ""),
    Bad("tf-rds-public", TF, "publicly_accessible                 = false",
        "publicly_accessible = true"),
    Bad("tf-eks-public", TF, "endpoint_public_access  = false", "endpoint_public_access  = true"),
    Bad("tf-eks-logs", TF, '"api", "audit", ', '"api", '),
    Bad("tf-eks-secrets", TF, 'resources = ["secrets"]', "resources = []"),
    Bad("tf-eks-version", TF, '"1.35"', '"1.29"'),
    Bad("tf-eks-identity", TF, "aws_eks_pod_identity_association", "aws_eks_addon"),
    Bad("tf-instance-metadata", TF, '"required"', '"optional"'),
    Bad("tf-cache-encryption", TF, "at_rest_encryption_enabled = true", ""),
    Bad("tf-cache-key", TF, "kms_key_id                 = aws_kms_key.main.arn", ""),
    Bad("tf-cache-tls", TF, "transit_encryption_enabled = true", ""),
    Bad("tf-cache-login", TF, "user_group_ids             =", "log_ids ="),
    Bad("tf-cache-one-zone", TF, "multi_az_enabled           = true", ""),
    Bad("tf-cache-snapshots", TF, "= 7", "= 0"),
    Bad("tf-open-ingress", TF, "from_port   = 443\n    to_port     = 443",
        "from_port   = 22\n    to_port     = 22"),
    Bad("tf-iam-wildcard", TF, '"s3:GetObject"', '"*"'),
    Bad("tf-key-rotation", TF, "enable_key_rotation = true", ""),
    Bad("tf-public-bucket", TF, "bucket              = aws_s3_bucket.backups.id",
        'bucket = "other"'),
)  # fmt: skip
MONITORING = (
    Bad("mon-alert-without-for", MON, "        for: 10m\n        labels: {severity: critical}",
        "        labels: {severity: critical}"),
    Bad("mon-alert-without-severity", MON, "labels: {severity: warning}", "labels: {team: shop}"),
    Bad("mon-alert-without-runbook", MON, ', runbook_url: "monitoring/RUNBOOK.md#more"', ""),
    Bad("mon-alert-without-summary", MON, "summary: it restarts, ", ""),
    Bad("mon-alert-untested", MON, "alert: DiskHigh", "alert: DiskFull"),
    Bad("mon-few-alerts", MON, "alert: DiskHigh\n        expr: vector(1) > 2",
        "alert: CostHigh\n        expr: vector(1) > 3"),
    Bad("mon-duplicate-rule", MON, "", "      - alert: CostHigh\n        expr: vector(1) > 2\n"
        "        for: 5m\n        labels: {severity: warning}\n        annotations:"
        ' {summary: "x", runbook_url: "monitoring/RUNBOOK.md#more"}\n'),
    Bad("mon-broken-expression", MON, "vector(1) > 2", "vector(1 > 2"),
    Bad("mon-recording-name", MON, "  - name: alerts", "      - record: errors\n"
        "        expr: vector(1)\n  - name: alerts"),
    Bad("mon-short-range", MON, "[15m]", "[45s]"),
    Bad("mon-dashboard-uid", BOARD, '"uid": "shop",', ""),
    Bad("mon-dashboard-source", BOARD, ', "uid": "prometheus"}', "}"),
    Bad("mon-dashboard-panel", BOARD, '"type": "timeseries"', '"type": "graph"'),
    Bad("mon-dashboard-empty", BOARD, '"expr": "service:http_request_errors:ratio_rate5m"',
        '"expr": ""'),
    Bad("mon-dashboard-id", BOARD, '"id": 2', '"id": 1'),
    Bad("mon-plain-receiver", PAGER, "routing_key_file: /etc/alertmanager/secrets/key",
        "routing_key: 0123456789abcdef"),
    Bad("mon-unknown-receiver", PAGER, "receiver: pager", "receiver: phone"),
    Bad("mon-collector-component", OTEL, "[otlphttp]", "[jaeger]"),
    Bad("mon-collector-memory", OTEL, "[memory_limiter, batch]", "[batch]"),
    Bad("mon-collector-insecure", OTEL, "https://traces", "http://traces"),
)  # fmt: skip
CROSS = (
    Bad("cross-selects-nothing", NET, "  selector:\n    app.kubernetes.io/name: shop",
        "  selector:\n    app.kubernetes.io/name: store"),
    Bad("cross-service-port", NET, "targetPort: http", "targetPort: 8081"),
    Bad("cross-ingress-service", NET, "service: {name: shop, port: {name: http}}",
        "service: {name: shop, port: {name: web}}"),
    Bad("cross-monitor-port", NET, "{port: http, path: /metrics", "{port: metrics, path: /metrics"),
    Bad("cross-policy-port", NET, "port: http}\n  egress", "port: 9090}\n  egress"),
    Bad("cross-scale-target", ALL, "kind: Deployment, name: shop}", "kind: Deployment, name: x}",
        ("k8s-too-few-replicas",)),
    Bad("cross-service-account", ALL, "serviceAccountName: shop", "serviceAccountName: shpo"),
    Bad("cross-role-binding", ALL, "  kind: Role\n  name: shop", "  kind: Role\n  name: x"),
    Bad("cross-priority-class", ALL, "priorityClassName: shop-prod", "priorityClassName: shop"),
    Bad("cross-config-key", ALL, "key: LOG_LEVEL", "key: LEVEL"),
    Bad("cross-secret-key", ALL, "{key: DATABASE_URL, path", "{key: DATABASE, path"),
    Bad("cross-secret-file", ALL, "DATABASE_URL_FILE: /var/run/secrets/shop/DATABASE_URL",
        "DATABASE_URL_FILE: /var/run/secrets/shop/database"),
    Bad("cross-kustomization", "k8s/prod/kustomization.yaml", "  - rules.yaml\n", ""),
    Bad("cross-image", ALL, "", SECOND.replace("IMAGE", f"registry.example.com/shop:1.2.2{DIGEST}"),
        ("cross-chart-image",)),
    Bad("cross-chart-image", "helm/shop/values-prod.yaml", 64 * "2", 64 * "3"),
    Bad("cross-environment", STAGING, "shop-staging", "shop-prod"),
    Bad("cross-exposed-port", ALL, "containerPort: 8080", "containerPort: 8081"),
    Bad("cross-compose-port", COMPOSE, "127.0.0.1:8080:8080", "127.0.0.1:8080:80"),
    Bad("cross-flag", STAGING, "FLAG_NEW_CART", "LEVEL"),
    Bad("cross-recorded-series", BOARD, "ratio_rate5m", "ratio_rate6m"),
    Bad("cross-metric-name", MON, "restarts_total", "restart_total"),
    Bad("cross-alert-target", MON, 'deployment="shop"', 'deployment="store"'),
    Bad("cross-namespace", "monitoring/RUNBOOK.md", "--namespace shop-prod",
        "--namespace shop-prd"),
    Bad("cross-runbook", "monitoring/RUNBOOK.md", "## ErrorsHigh", "## Errors"),
    Bad("cross-rule-copies", "k8s/prod/rules.yaml", "> 0.05", "> 0.5"),
)  # fmt: skip
FILES = (
    Bad("file-unreadable", OTEL, "[otlphttp]", "[otlphttp"),
    Bad("file-duplicate-key", NET, "  type: ClusterIP\n", "  type: ClusterIP\n  type: ClusterIP\n"),
)  # fmt: skip
BAD = (
    *FILES, *CONTAINERS, *WORKLOADS, *SCALING, *NETWORK, *ACCESS, *DOCKERS, *ACTIONS, *TERRAFORM,
    *AWS, *MONITORING, *CROSS,
)  # fmt: skip

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the good files, to be spoilt."""
    folder = tmp_path / "files"
    shutil.copytree(GOOD, folder)
    return folder


def test_good_files_break_no_rule() -> None:
    checked = rules.check(GOOD)

    assert checked.findings == ()
    assert all(checked.looked_at.values()), checked.looked_at


@pytest.mark.parametrize("bad", [pytest.param(one, id=one.rule) for one in BAD])
def test_a_rule_finds_what_breaks_it_and_nothing_else(files: Path, bad: Bad) -> None:
    path = files / bad.path
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text() if path.exists() else ""
    assert bad.old in text
    path.write_text(text.replace(bad.old, bad.new, 1) if bad.old else text + bad.new)

    if bad.without:
        (files / bad.without).unlink()

    checked = rules.check(files)

    found = {finding.rule for finding in checked.findings}
    assert found == {bad.rule, *bad.also}, [f"{f.rule}: {f.message}" for f in checked.findings]
    for finding in checked.findings:
        assert finding.fingerprint
        assert (files / finding.location.path).is_file()
        lines = len((files / finding.location.path).read_text().splitlines())
        assert 1 <= finding.location.line <= lines


@pytest.mark.parametrize(
    ("packages", "found"),
    [
        pytest.param("poetry==2.5.1", False, id="an installer by version"),
        pytest.param("poetry", True, id="an installer without"),
        pytest.param("flask==3.1.0", True, id="another package by version"),
        pytest.param("uv==0.13.8 flask==3.1.0", True, id="both"),
    ],
)
def test_only_what_reads_a_lock_is_installed_without_one(
    tmp_path: Path, packages: str, found: bool
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM python:3.12\nRUN pip install {packages}\n")

    told = {finding.rule for finding in rules.check(tmp_path).findings}

    assert ("docker-unlocked-install" in told) is found


def test_every_rule_has_a_file_that_breaks_it() -> None:
    assert {one.rule for one in BAD} == set(rules.every())
    assert len({one.rule for one in BAD}) == len(BAD)


@pytest.mark.parametrize("rule", [pytest.param(r, id=r.id) for r in rules.every().values()])
def test_every_rule_says_what_why_and_how(rule: rules.Rule) -> None:
    assert rule.area in ("file", "k8s", "docker", "compose", "actions", "tf", "mon", "cross")
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")
    assert rules.explain(rule.id.upper()) is rule


def test_an_unknown_rule_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        rules.explain("k8s-priviledged")

    assert error.value.hint == "sdlc deploy explain k8s-privileged"


# What a hardened set must hold, and the rules that see when it does not.
CHECKLIST = {
    "restricted namespaces": ("k8s-pod-security",),
    "no root, high ids": ("k8s-root-user", "k8s-low-user-id"),
    "no escalation": ("k8s-privilege-escalation", "k8s-privileged", "k8s-capabilities"),
    "seccomp": ("k8s-seccomp",),
    "read-only root": ("k8s-writable-root", "k8s-unsized-volume"),
    "own account": ("k8s-default-service-account", "k8s-token-mounted"),
    "requests and limits": ("k8s-no-requests", "k8s-no-limits", "k8s-no-storage-limit"),
    "probes": ("k8s-no-startup-probe", "k8s-no-readiness-probe", "k8s-no-liveness-probe",
               "k8s-identical-probes", "k8s-probe-port", "k8s-probe-port-number"),
    "graceful stop": ("k8s-no-pre-stop", "k8s-grace-period", "k8s-rollout"),
    "autoscaling": ("k8s-hpa-version", "k8s-hpa-behavior", "k8s-too-few-replicas",
                    "k8s-replicas-beside-hpa", "k8s-hpa-bounds"),
    "disruption budget": ("k8s-no-disruption-budget", "k8s-budget-blocks-drain",
                          "k8s-budget-unhealthy-pods"),
    "spread": ("k8s-no-anti-affinity", "k8s-no-zone-spread"),
    "priority": ("k8s-no-priority-class", "cross-priority-class"),
    "network": ("k8s-no-network-policy", "k8s-no-default-deny", "k8s-no-dns", "k8s-open-policy"),
    "images": ("k8s-image-tag", "k8s-image-digest", "k8s-pull-policy"),
    "secrets": ("k8s-plain-secret", "k8s-secret-in-env", "k8s-secret-literal",
                "k8s-secret-in-config"),
    "exposure": ("k8s-exposed-service", "k8s-ingress-without-tls"),
    "rights": ("k8s-rbac-unnamed", "k8s-rbac-wildcard", "k8s-rbac-secrets", "k8s-rbac-exec"),
    "labels and selectors": ("k8s-labels", "k8s-selector-mismatch", "cross-selects-nothing"),
    "stable versions": ("k8s-removed-api", "k8s-unstable-api"),
    "good citizen": ("k8s-no-quota", "k8s-no-limit-range", "k8s-service-links", "k8s-host-users"),
    "monitoring": ("mon-few-alerts", "mon-alert-without-for", "mon-alert-without-severity",
                   "mon-alert-without-runbook", "mon-alert-untested", "mon-dashboard-uid",
                   "mon-dashboard-source", "mon-dashboard-panel", "cross-monitor-port"),
    "docker": ("docker-build-tools", "docker-unlocked-install", "docker-base-digest",
               "docker-named-user", "docker-root-user", "docker-healthcheck-shell"),
    "actions": ("actions-permissions", "actions-unpinned", "actions-credentials",
                "actions-no-timeout", "actions-no-concurrency", "actions-no-environment",
                "actions-static-keys", "actions-no-attestation", "actions-deploy-by-tag",
                "actions-no-rollout-check"),
    "database": ("tf-unencrypted-rds", "tf-rds-key", "tf-rds-one-zone", "tf-rds-deletion",
                 "tf-rds-password", "tf-rds-iam", "tf-rds-plain-connections", "tf-rds-logs"),
    "cluster": ("tf-eks-public", "tf-eks-logs", "tf-eks-secrets", "tf-eks-version",
                "tf-eks-identity", "tf-instance-metadata"),
    "cache": ("tf-cache-key", "tf-cache-tls", "tf-cache-login", "tf-cache-one-zone",
              "tf-cache-snapshots"),
    "stable plans": ("tf-unpinned-provider", "tf-unlocked-provider", "tf-undescribed",
                     "tf-changing-plan"),
}  # fmt: skip


def test_the_checklist_is_covered() -> None:
    named = {rule for ids in CHECKLIST.values() for rule in ids}

    assert len(CHECKLIST) == 28
    assert named <= set(rules.every())
