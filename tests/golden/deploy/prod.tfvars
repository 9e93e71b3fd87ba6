# prod of answers: terraform plan -var-file=environments/prod.tfvars
app         = "answers"
environment = "prod"
owner       = "Team Answers"
production  = true
region      = "eu-west-1"
zones       = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
vpc_cidr    = "10.0.0.0/16"

cluster_name       = "answers-prod"
kubernetes_version = "1.35"
administrators     = []
node_instance      = "m7g.large"
node_image         = "BOTTLEROCKET_ARM_64"
node_labels        = {}
nodes_min          = 2
nodes_max          = 6
namespace          = "answers-prod"
service_account    = "answers"

databases = {
  "main" = {
    version     = "17"
    port        = 5432
    instance    = "db.t4g.medium"
    storage_gib = 20
  }
}

caches = {
  "responses" = {
    version  = "8.0"
    port     = 6379
    instance = "cache.t4g.small"
    nodes    = 2
  }
}
