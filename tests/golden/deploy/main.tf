# answers on AWS: the provider, and what the other files share. Each environment is the
# same configuration with the variables and the state of environments/.

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

locals {
  name = "${var.app}-${var.environment}"

  # Role names hold for all regions of the account and may have 38 characters before the suffix.
  role_prefix = "${trimsuffix(substr(local.name, 0, 24), "-")}-"

  account_arn  = "arn:${data.aws_partition.here.partition}:iam::${data.aws_caller_identity.here.account_id}:root"
  policy_arn   = "arn:${data.aws_partition.here.partition}:iam::aws:policy"
  log_days     = 365
  backup_days  = var.production ? 35 : 7
  node_subnets = [for place in range(3) : cidrsubnet(var.vpc_cidr, 2, place)]

  # The last quarter of the network, in eighths. Network policies allow the subnets of data.
  data_subnets   = [for place in range(3) : cidrsubnet(var.vpc_cidr, 5, 24 + place)]
  public_subnets = [for place in range(3) : cidrsubnet(var.vpc_cidr, 5, 27 + place)]

  # ElastiCache takes 40 characters, RDS 63: a long name ends in a hash of the whole.
  cache_names = {
    for key in keys(var.caches) : key => (
      length("${local.name}-${key}") <= 40
      ? "${local.name}-${key}"
      : "${trimsuffix(substr("${local.name}-${key}", 0, 31), "-")}-${substr(sha256("${local.name}-${key}"), 0, 8)}"
    )
  }
  database_names = {
    for key in keys(var.databases) : key => (
      length("${local.name}-${key}") <= 63
      ? "${local.name}-${key}"
      : "${trimsuffix(substr("${local.name}-${key}", 0, 54), "-")}-${substr(sha256("${local.name}-${key}"), 0, 8)}"
    )
  }

  tags = {
    Application = var.app
    Environment = var.environment
    ManagedBy   = "terraform"
    Owner       = var.owner
  }
}
