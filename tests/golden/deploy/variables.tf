variable "app" {
  description = "Name of the service; everything is called after it and the environment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.app))
    error_message = "A DNS label of at most 40 lowercase letters, digits and hyphens."
  }
}

variable "environment" {
  description = "Name of the environment, such as prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$", var.environment))
    error_message = "A DNS label of at most 16 lowercase letters, digits and hyphens."
  }
}

variable "owner" {
  description = "Who answers for the service; a tag of everything."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.owner) > 0 && length(var.owner) <= 256
    error_message = "A tag has 1 to 256 characters."
  }
}

variable "production" {
  description = "Whether people depend on it: several zones for each part, and backups for longer."
  type        = bool
  default     = true
  nullable    = false
}

variable "region" {
  description = "AWS region that holds everything."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region of AWS, such as eu-west-1."
  }
}

variable "zones" {
  description = "Three availability zones of the region; which letters there are differs by account."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(distinct(var.zones)) == 3 && length(var.zones) == 3 && alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "Three different zones of the region; aws ec2 describe-availability-zones lists them."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the network. It is cut into three subnets each for nodes, data and the public."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 20, false)
    error_message = "A range of IPv4 from /16 to /20."
  }
}

variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", var.cluster_name))
    error_message = "At most 100 letters, digits, hyphens and underscores."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, one that EKS still supports."
  type        = string
  default     = "1.35"
  nullable    = false

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "A minor version, such as 1.35."
  }
}

variable "administrators" {
  description = "ARNs of the roles that may administer the cluster; without any, the one that makes it may."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.administrators : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/", arn))])
    error_message = "Each is the ARN of a role."
  }
}

variable "node_instance" {
  description = "Instance type of the nodes."
  type        = string
  default     = "m7g.large"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.node_instance))
    error_message = "An instance type, such as m7g.large."
  }
}

variable "node_image" {
  description = "Kind of the nodes' image; it has to fit the processor of node_instance."
  type        = string
  default     = "BOTTLEROCKET_ARM_64"
  nullable    = false

  validation {
    condition = contains([
      "BOTTLEROCKET_ARM_64",
      "BOTTLEROCKET_ARM_64_NVIDIA",
      "BOTTLEROCKET_x86_64",
      "BOTTLEROCKET_x86_64_NVIDIA",
    ], var.node_image)
    error_message = "A Bottlerocket image for ARM or x86, with or without NVIDIA drivers."
  }
}

variable "node_labels" {
  description = "Labels of the nodes, which the service's pods may ask for."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.node_labels) : length(value) <= 63])
    error_message = "A label's value has at most 63 characters."
  }
}

variable "nodes_min" {
  description = "Nodes that the cluster has at least."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.nodes_min >= 1 && floor(var.nodes_min) == var.nodes_min
    error_message = "A whole number of at least 1."
  }
}

variable "nodes_max" {
  description = "Nodes that the cluster has at most."
  type        = number
  default     = 6
  nullable    = false

  validation {
    condition     = var.nodes_max >= var.nodes_min && var.nodes_max <= 450
    error_message = "At least nodes_min, at most 450."
  }
}

variable "namespace" {
  description = "Namespace of the service in the cluster."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A DNS label."
  }
}

variable "service_account" {
  description = "ServiceAccount whose pods get the service's role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", var.service_account))
    error_message = "A DNS name."
  }
}

variable "databases" {
  description = "PostgreSQL servers by name: major version, port, instance class and storage in GiB."
  type = map(object({
    version     = string
    port        = number
    instance    = string
    storage_gib = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for database in var.databases : database.storage_gib >= 20 && startswith(database.instance, "db.")])
    error_message = "Storage is at least 20 GiB, and an instance class begins with db."
  }
}

variable "caches" {
  description = "Valkey servers by name: version, port, node type and number of nodes."
  type = map(object({
    version  = string
    port     = number
    instance = string
    nodes    = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for cache in var.caches : cache.nodes >= 2 && cache.nodes <= 6 && startswith(cache.instance, "cache.")])
    error_message = "2 to 6 nodes, and a node type begins with cache."
  }
}
