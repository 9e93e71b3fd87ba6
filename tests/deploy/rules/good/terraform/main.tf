terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.20.0"
    }
  }
  backend "s3" {
    bucket       = "example-state"
    key          = "shop"
    encrypt      = true
    use_lockfile = true
  }
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "eu-west-1"
}

variable "cluster_version" {
  description = "Minor version of the cluster."
  type        = string
  default     = "1.35"
}

variable "api_token" {
  description = "Token of the monitoring."
  type        = string
  sensitive   = true
}

output "address" {
  description = "Where the database is."
  value       = aws_db_instance.main.address
}

provider "aws" {
  region = var.region
}

module "network" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "6.5.0"
}

resource "aws_kms_key" "main" {
  enable_key_rotation = true
}

resource "aws_db_parameter_group" "main" {
  family = "postgres17"
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

resource "aws_db_instance" "main" {
  engine                              = "postgres"
  storage_encrypted                   = true
  kms_key_id                          = aws_kms_key.main.arn
  multi_az                            = true
  deletion_protection                 = true
  manage_master_user_password         = true
  iam_database_authentication_enabled = true
  parameter_group_name                = aws_db_parameter_group.main.name
  enabled_cloudwatch_logs_exports     = ["postgresql"]
  monitoring_interval                 = 60
  performance_insights_enabled        = true
  backup_retention_period             = 14
  auto_minor_version_upgrade          = true
  copy_tags_to_snapshot               = true
  publicly_accessible                 = false
}

resource "aws_eks_cluster" "main" {
  version                   = var.cluster_version
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  vpc_config {
    endpoint_private_access = true
    endpoint_public_access  = false
  }
  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = aws_kms_key.main.arn
    }
  }
}

resource "aws_eks_pod_identity_association" "main" {
  cluster_name = aws_eks_cluster.main.name
}

resource "aws_launch_template" "nodes" {
  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_elasticache_replication_group" "main" {
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.main.arn
  transit_encryption_enabled = true
  user_group_ids             = [aws_elasticache_user_group.main.id]
  multi_az_enabled           = true
  automatic_failover_enabled = true
  snapshot_retention_limit   = 7
}

resource "aws_security_group" "web" {
  ingress {
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
}

resource "aws_s3_bucket" "backups" {
  bucket = "example-backups"
}

resource "aws_s3_bucket_public_access_block" "backups" {
  bucket              = aws_s3_bucket.backups.id
  block_public_policy = true
}
