"""Rules on AWS resources in Terraform: databases, clusters, caches, networks, rights."""

import re
from collections.abc import Callable, Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.deploy.rules.hcl import Attribute, Block
from sdlc_cli.deploy.rules.parsed import Module, Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule

Check = Callable[[Parsed], Iterator[Hit]]
_RDS = ("aws_db_instance", "aws_rds_cluster")
_CACHE = ("aws_elasticache_replication_group", "aws_elasticache_serverless_cache")
_NODES = ("aws_launch_template", "aws_instance")
_EVERYWHERE = {"0.0.0.0/0", "::/0"}
# EKS supports 1.34 as standard until 2026-12-02, 1.35 until 2027-03-27; its API refuses what does
# not exist. https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
_OLDEST_EKS = (1, 35)
_LOGS = {"api", "audit", "authenticator", "controllerManager", "scheduler"}
_WEEK = 7  # days


def _resources(parsed: Parsed, *kinds: str) -> Iterator[tuple[str, Block]]:
    for module in parsed.modules:
        for kind in kinds:
            yield from module.blocks("resource", kind)


def _hit(path: str, block: Block, detail: str = "", at: Attribute | None = None) -> Hit:
    return Hit(path, at.line if at else block.line, ".".join(block.labels), detail)


def _wants_true(name: str, *kinds: str) -> Check:
    """A literal other than true, or nothing, is a hit; an expression is believed."""

    def check(parsed: Parsed) -> Iterator[Hit]:
        for path, block in _resources(parsed, *kinds):
            found = block.get(name)
            if found is None or found.literal not in (True, "true", None):
                yield _hit(path, block, name, found)

    return check


def _wants(name: str, *kinds: str) -> Check:
    """The attribute must be there."""

    def check(parsed: Parsed) -> Iterator[Hit]:
        for path, block in _resources(parsed, *kinds):
            found = block.get(name)
            if found is None or found.literal == "" or found.source == "[ ]":
                yield _hit(path, block, name, found)

    return check


def _primary(test: Check) -> Check:
    """Only databases that are no replicas: those take the setting from their source."""

    def check(parsed: Parsed) -> Iterator[Hit]:
        replicas = {
            ".".join(block.labels)
            for _path, block in _resources(parsed, *_RDS)
            if block.get("replicate_source_db")
        }
        yield from (hit for hit in test(parsed) if hit.subject not in replicas)

    return check


def _public_database(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_db_instance", "aws_rds_cluster_instance"):
        if block.literal("publicly_accessible") is True:
            yield _hit(path, block, "", block.get("publicly_accessible"))


def _password(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, *_RDS):
        if block.literal("manage_master_user_password") is not True:
            yield _hit(path, block, "manage_master_user_password", block.get("password"))


def _backups(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, *_RDS):
        found = block.get("backup_retention_period")
        days = found.literal if found else 1
        if isinstance(days, int) and days < _WEEK:
            yield _hit(path, block, f"backup_retention_period: {days}", found)


def _force_ssl(parsed: Parsed) -> Iterator[Hit]:
    """Where a PostgreSQL server stands, a parameter group of its module must force TLS."""
    for module in parsed.modules:
        groups = [
            block
            for kind in ("aws_db_parameter_group", "aws_rds_cluster_parameter_group")
            for _path, block in module.blocks("resource", kind)
        ]
        forced = any(
            parameter.literal("name") in ("rds.force_ssl", "require_secure_transport")
            and str(parameter.literal("value")).upper() in ("1", "ON", "TRUE")
            for group in groups
            for parameter in group.all("parameter")
        )
        for kind in _RDS:
            for path, block in module.blocks("resource", kind):
                if not forced:
                    yield _hit(path, block, "rds.force_ssl")


def _monitored(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_db_instance"):
        if block.get("monitoring_interval") is None or block.literal("monitoring_interval") == 0:
            yield _hit(path, block, "monitoring_interval", block.get("monitoring_interval"))
        if block.get("performance_insights_enabled") is None and not block.get(
            "database_insights_mode"
        ):
            yield _hit(path, block, "performance_insights_enabled")


def _endpoint(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_eks_cluster"):
        for network in block.all("vpc_config"):
            public = network.get("endpoint_public_access")
            ranges = network.get("public_access_cidrs")
            limited = ranges is not None and not _EVERYWHERE & set(ranges.strings)
            if (public is None or public.literal is True) and not limited:
                yield _hit(path, block, "endpoint_public_access", public)
            private = network.get("endpoint_private_access")
            if private is None or private.literal is False:
                yield _hit(path, block, "endpoint_private_access", private)


def _cluster_logs(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_eks_cluster"):
        found = block.get("enabled_cluster_log_types")
        written = set(found.strings) if found else set()
        if found is not None and not written and found.source != "[ ]":
            continue  # an expression
        if missing := sorted(_LOGS - written):
            yield _hit(path, block, ", ".join(missing), found)


def _cluster_secrets(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_eks_cluster"):
        if not any(
            "secrets"
            in (one.attributes["resources"].strings if "resources" in one.attributes else ())
            for one in block.all("encryption_config")
        ):
            yield _hit(path, block, "encryption_config")


def _default(module: Module, attribute: Attribute) -> object:
    """What an attribute says, a variable's default put in."""
    name = re.fullmatch(r"var \. ([\w-]+)", attribute.source)
    if not name:
        return attribute.literal
    for _path, block in module.blocks("variable", name[1]):
        return block.literal("default")
    return None


def _cluster_version(parsed: Parsed) -> Iterator[Hit]:
    for module in parsed.modules:
        for path, block in module.blocks("resource", "aws_eks_cluster"):
            found = block.get("version")
            said = str(_default(module, found) if found else "")
            match = re.fullmatch(r"([0-9]+)\.([0-9]+)", said)
            if found is None or (match and (int(match[1]), int(match[2])) < _OLDEST_EKS):
                yield _hit(path, block, said, found)


def _node_role(parsed: Parsed) -> Iterator[Hit]:
    """Pods that call AWS need an identity of their own, by association or by OIDC."""
    for module in parsed.modules:
        clusters = list(module.blocks("resource", "aws_eks_cluster"))
        ways = ("aws_eks_pod_identity_association", "aws_iam_openid_connect_provider")
        if not any(list(module.blocks("resource", way)) for way in ways):
            yield from (_hit(path, block) for path, block in clusters)


def _metadata(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, *_NODES):
        if not any(
            one.literal("http_tokens") == "required" for one in block.all("metadata_options")
        ):
            yield _hit(path, block, "metadata_options")


def _cache_login(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_elasticache_replication_group"):
        if not block.get("user_group_ids") and not block.get("auth_token"):
            yield _hit(path, block, "user_group_ids")


def _cache_zones(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_elasticache_replication_group"):
        for name in ("multi_az_enabled", "automatic_failover_enabled"):
            found = block.get(name)
            if found is None or found.literal is False:
                yield _hit(path, block, name, found)


def _snapshots(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_elasticache_replication_group"):
        found = block.get("snapshot_retention_limit")
        if found is None or found.literal == 0:
            yield _hit(path, block, "snapshot_retention_limit", found)


def _open_ingress(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_security_group"):
        for rule in block.all("ingress"):
            if _from_everywhere(rule) and not _web(rule):
                yield Hit(path, rule.line, ".".join(block.labels), _ports(rule))
    for path, block in _resources(parsed, "aws_security_group_rule"):
        if block.literal("type") == "ingress" and _from_everywhere(block) and not _web(block):
            yield _hit(path, block, _ports(block))
    for path, block in _resources(parsed, "aws_vpc_security_group_ingress_rule"):
        if _from_everywhere(block) and not _web(block):
            yield _hit(path, block, _ports(block))


def _from_everywhere(rule: Block) -> bool:
    names = ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
    return any(_EVERYWHERE & set(a.strings) for name in names if (a := rule.get(name)))


def _web(rule: Block) -> bool:
    return rule.literal("from_port") == rule.literal("to_port") in (80, 443)


def _ports(rule: Block) -> str:
    low, high = rule.literal("from_port"), rule.literal("to_port")
    return f"{low}-{high}" if low is not None else ""


def _wildcard(parsed: Parsed) -> Iterator[Hit]:
    """`Action: *` that is allowed, in documents, JSON and jsonencode()."""
    for module in parsed.modules:
        for path, block in module.blocks("data", "aws_iam_policy_document"):
            for statement in block.all("statement"):
                actions = statement.get("actions")
                if statement.literal("effect") != "Deny" and actions and "*" in actions.strings:
                    yield Hit(path, statement.line, ".".join(block.labels), "actions: *")
    kinds = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
    for path, block in _resources(parsed, *kinds):
        policy = block.get("policy")
        said = re.sub(r"\s", "", policy.source + "".join(policy.strings)) if policy else ""
        if re.search(r"\"?Action\"?[=:]\[?\"?\*\"?[\],}]?", said) and "Deny" not in said:
            yield _hit(path, block, "Action: *", policy)


def _rotation(parsed: Parsed) -> Iterator[Hit]:
    for path, block in _resources(parsed, "aws_kms_key"):
        usage = block.literal("key_usage")
        if usage in (None, "ENCRYPT_DECRYPT") and block.literal("enable_key_rotation") is not True:
            yield _hit(path, block, "enable_key_rotation", block.get("enable_key_rotation"))


def _bucket(parsed: Parsed) -> Iterator[Hit]:
    for module in parsed.modules:
        guards = [b for _p, b in module.blocks("resource", "aws_s3_bucket_public_access_block")]
        for path, block in module.blocks("resource", "aws_s3_bucket"):
            name = ".".join(block.labels)
            if not any((a := guard.get("bucket")) and a.refers(name) for guard in guards):
                yield _hit(path, block)


def _rule(
    rule_id: str,
    severity: Severity,
    title: Message,
    why: Message,
    fix: Message,
    check: Check,
    *same_as: str,
) -> Rule:
    return Rule(
        id=rule_id, severity=severity, title=title, why=why, fix=fix, same_as=same_as, check=check
    )


_LOW, _MEDIUM, _HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH

RULES = (
    _rule(
        "tf-unencrypted-rds", _HIGH,
        msg("the database's disk is not encrypted"),
        msg("Backups and snapshots are then readable for whoever gets at them, and it cannot be"
            " switched on later without copying everything."),
        msg("Set `storage_encrypted = true`."),
        _primary(_wants_true("storage_encrypted", *_RDS)), "CKV_AWS_16", "AWS-0080",
    ),
    _rule(
        "tf-rds-key", _LOW,
        msg("the database is not encrypted by a key of your own"),
        msg("AWS' shared key cannot be limited, logged by itself, or taken away."),
        msg("Set `kms_key_id` to a key with a policy and rotation."),
        _primary(_wants("kms_key_id", *_RDS)), "CKV_AWS_354", "CKV_AWS_327",
    ),
    _rule(
        "tf-rds-one-zone", _MEDIUM,
        msg("the database lives in one zone"),
        msg("When that zone is lost, so is the service, until somebody restores a backup."),
        msg("Set `multi_az = true`."),
        _primary(_wants_true("multi_az", "aws_db_instance")), "CKV_AWS_157",
    ),
    _rule(
        "tf-rds-deletion", _MEDIUM,
        msg("the database can be deleted by one wrong plan"),
        msg("A renamed resource is destroyed and made anew, empty."),
        msg("Set `deletion_protection = true`."),
        _primary(_wants_true("deletion_protection", *_RDS)), "CKV_AWS_293", "CKV_AWS_139",
    ),
    _rule(
        "tf-rds-password", _HIGH,
        msg("Terraform knows the database's password"),
        msg("It lies in the state in plain text, and never changes."),
        msg("Set `manage_master_user_password = true`: RDS makes, keeps and rotates it."),
        _primary(_password),
    ),
    _rule(
        "tf-rds-iam", _LOW,
        msg("the database takes passwords alone"),
        msg("With IAM, logins expire after 15 minutes and are in the audit log."),
        msg("Set `iam_database_authentication_enabled = true`."),
        _primary(_wants_true("iam_database_authentication_enabled", *_RDS)),
        "CKV_AWS_161", "CKV_AWS_162",
    ),
    _rule(
        "tf-rds-plain-connections", _MEDIUM,
        msg("the database takes connections without TLS"),
        msg("One client with a wrong setting sends its password and rows in the clear."),
        msg("Use a parameter group with `rds.force_ssl` at 1."),
        _primary(_force_ssl), "CKV2_AWS_69",
    ),
    _rule(
        "tf-rds-logs", _LOW,
        msg("the database's logs stay on its own disk"),
        msg("They are gone with it, and nobody looks at them."),
        msg("Set `enabled_cloudwatch_logs_exports`."),
        _primary(_wants("enabled_cloudwatch_logs_exports", *_RDS)), "CKV_AWS_129", "CKV2_AWS_30",
    ),
    _rule(
        "tf-rds-unwatched", _LOW,
        msg("nobody can see later why the database was slow"),
        msg("Without enhanced monitoring and insights there are no figures of the time."),
        msg("Set `monitoring_interval` and `performance_insights_enabled`."),
        _primary(_monitored), "CKV_AWS_118", "CKV_AWS_353",
    ),
    _rule(
        "tf-rds-backups", _MEDIUM,
        msg("backups are kept for less than a week"),
        msg("Damage that is found after a long weekend cannot be undone."),
        msg("Set `backup_retention_period` to 7 or above."),
        _primary(_backups), "CKV_AWS_133",
    ),
    _rule(
        "tf-rds-updates", _LOW,
        msg("the database does not get minor updates"),
        msg("They mend holes that are known to everyone."),
        msg("Set `auto_minor_version_upgrade = true`."),
        _primary(_wants_true("auto_minor_version_upgrade", "aws_db_instance")), "CKV_AWS_226",
    ),
    _rule(
        "tf-rds-tags", _LOW,
        msg("snapshots of the database have no tags"),
        msg("Nobody knows whose they are, who pays, or whether they may go."),
        msg("Set `copy_tags_to_snapshot = true`."),
        _primary(_wants_true("copy_tags_to_snapshot", *_RDS)), "CKV2_AWS_60",
    ),
    _rule(
        "tf-rds-public", Severity.CRITICAL,
        msg("the database has an address on the internet"),
        msg("Everyone can try passwords, and every hole in it is open to all."),
        msg("Remove `publicly_accessible`, and connect from inside the network."),
        _public_database, "CKV_AWS_17", "AWS-0180",
    ),
    _rule(
        "tf-eks-public", _HIGH,
        msg("the cluster's API server can be reached by everyone, or not from inside"),
        msg("A leaked token is then enough, from anywhere in the world."),
        msg("Set `endpoint_private_access = true` and `endpoint_public_access = false`."),
        _endpoint, "CKV_AWS_38", "CKV_AWS_39",
    ),
    _rule(
        "tf-eks-logs", _MEDIUM,
        msg("the cluster does not keep all of its logs"),
        msg("Without the audit log nobody can say afterwards who did what."),
        msg("List all five in `enabled_cluster_log_types`."),
        _cluster_logs, "CKV_AWS_37",
    ),
    _rule(
        "tf-eks-secrets", _MEDIUM,
        msg("secrets of the cluster are not encrypted by a key of your own"),
        msg("A copy of its store gives them all."),
        msg("Add `encryption_config` for secrets."),
        _cluster_secrets, "CKV_AWS_58",
    ),
    _rule(
        "tf-eks-version", _MEDIUM,
        msg("the cluster's version is not set, or leaves standard support"),
        msg("It costs six times as much, then AWS upgrades it on a day of its own choice."),
        msg("Set `version` to one in standard support."),
        _cluster_version, "CKV_AWS_339",
    ),
    _rule(
        "tf-eks-identity", _LOW,
        msg("pods have no identity at AWS but that of their node"),
        msg("Every pod then has the rights of all pods on the node."),
        msg("Add an `aws_eks_pod_identity_association` for each service account."),
        _node_role,
    ),
    _rule(
        "tf-instance-metadata", _HIGH,
        msg("the machine gives its role away to every request"),
        msg("With version 1 of the metadata service, one redirected request gets the keys."),
        msg('Add `metadata_options` with `http_tokens = "required"`.'),
        _metadata, "CKV_AWS_79", "CKV_AWS_341",
    ),
    _rule(
        "tf-cache-encryption", _MEDIUM,
        msg("the cache's disk is not encrypted"),
        msg("Its snapshots hold sessions and answers in plain text."),
        msg("Set `at_rest_encryption_enabled = true`."),
        _wants_true("at_rest_encryption_enabled", "aws_elasticache_replication_group"),
        "CKV_AWS_29",
    ),
    _rule(
        "tf-cache-key", _LOW,
        msg("the cache is not encrypted by a key of your own"),
        msg("AWS' shared key cannot be limited, logged by itself, or taken away."),
        msg("Set `kms_key_id`."),
        _wants("kms_key_id", *_CACHE), "CKV_AWS_191",
    ),
    _rule(
        "tf-cache-tls", _HIGH,
        msg("the cache takes connections without TLS"),
        msg("Whoever is on the network reads and changes what it holds."),
        msg("Set `transit_encryption_enabled = true`."),
        _wants_true("transit_encryption_enabled", "aws_elasticache_replication_group"),
        "CKV_AWS_30",
    ),
    _rule(
        "tf-cache-login", _MEDIUM,
        msg("the cache asks nobody for a password"),
        msg("Every pod that reaches it reads and deletes everything."),
        msg("Set `user_group_ids` with users that have rights of their own."),
        _cache_login, "CKV_AWS_31",
    ),
    _rule(
        "tf-cache-one-zone", _MEDIUM,
        msg("the cache lives in one zone, or does not switch over"),
        msg("When that zone is lost, every request goes to the database."),
        msg("Set `multi_az_enabled` and `automatic_failover_enabled`."),
        _cache_zones, "CKV2_AWS_50",
    ),
    _rule(
        "tf-cache-snapshots", _LOW,
        msg("the cache is never saved"),
        msg("What was only in it is lost with it."),
        msg("Set `snapshot_retention_limit` to 1 or above."),
        _snapshots,
    ),
    _rule(
        "tf-open-ingress", _HIGH,
        msg("everyone may connect, and not only to a web port"),
        msg("The whole internet tries passwords and known holes within minutes."),
        msg("Name the ranges or security groups that need it."),
        _open_ingress, "CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260", "AWS-0107",
    ),
    _rule(
        "tf-iam-wildcard", _HIGH,
        msg("a policy allows every action"),
        msg("Who gets the role owns the account."),
        msg("List the actions that are needed."),
        _wildcard, "CKV_AWS_62", "CKV_AWS_63", "CKV_AWS_49",
    ),
    _rule(
        "tf-key-rotation", _LOW,
        msg("the key is never changed"),
        msg("Who copied it once reads everything that comes later."),
        msg("Set `enable_key_rotation = true`."),
        _rotation, "CKV_AWS_7", "AWS-0065",
    ),
    _rule(
        "tf-public-bucket", _MEDIUM,
        msg("nothing keeps the bucket from being made public"),
        msg("One wrong line in a policy, and everybody can list it."),
        msg("Add an `aws_s3_bucket_public_access_block` for it."),
        _bucket, "CKV2_AWS_6", "AWS-0094",
    ),
)  # fmt: skip
