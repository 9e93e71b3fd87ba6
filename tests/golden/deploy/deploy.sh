#!/bin/sh
# Deploys answers from the manifests beside this script. Needs kubectl; curl for `verify`.
#
#   deploy.sh deploy ENVIRONMENT      apply the manifests and wait for the rollout
#   deploy.sh verify ENVIRONMENT      see that the rollout ended and that the domains answer
#   deploy.sh rollback ENVIRONMENT    go back to what ran before the last deploy from here
#   deploy.sh status ENVIRONMENT      what runs now
#   deploy.sh check-report REPORT COMMIT    refuse a commit whose gates did not pass (needs jq)
#
# KUBE_CONTEXT names the kubectl context; without it the current one is used. An environment with
# regions needs one context for each, called <app>-<environment>-<region>.
set -eu

app=answers
config=answers-config
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
manifests=$here/../k8s

fail() {
  printf 'deploy.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '4,8s/^#   //p' "$0" >&2
  exit 2
}

# Sets what is known of an environment: its namespace, regions, addresses and seconds to wait.
choose() {
  environment=$1
  case $environment in
    dev)
      namespace=answers-dev
      seconds=300
      regions=''
      set -- https://dev.example.com/health/ready
      ;;
    staging)
      namespace=answers-staging
      seconds=300
      regions=''
      set -- https://staging.example.com/health/ready
      ;;
    prod)
      namespace=answers-prod
      seconds=750
      regions='eu-west-1 us-east-1'
      set -- https://answers.example.com/health/ready https://api.example.com/health/ready
      ;;
    dr)
      namespace=answers-dr
      seconds=450
      regions=''
      set -- https://dr.example.com/health/ready
      ;;
    *) fail "there is no environment '$environment'; there are: dev staging prod dr" 2 ;;
  esac
  urls=$(printf '%s\n' "$@")
  state=${XDG_STATE_HOME:-$HOME/.local/state}/sdlc-deploy/$namespace
}

# kubectl in the cluster of the region at hand.
cluster() {
  context=${KUBE_CONTEXT:-}
  if [ -n "$region" ]; then
    context=$namespace-$region
  fi
  if [ -n "$context" ]; then
    kubectl --context "$context" "$@"
  else
    kubectl "$@"
  fi
}

# Runs a function once for each region, or once where there are none.
everywhere() {
  if [ -z "$regions" ]; then
    region=''
    "$@"
    return
  fi
  for region in $regions; do
    "$@"
  done
}

folder() {
  if [ -n "$region" ]; then
    printf '%s\n' "$manifests/regions/$environment/$region"
  else
    printf '%s\n' "$manifests/$environment"
  fi
}

where() {
  printf '%s\n' "$environment${region:+ in $region}"
}

# What `rollback` needs to know: the revision that runs, and the configuration it reads.
remember() {
  saved=$state/${region:-all}
  mkdir -p "$saved"
  cluster --namespace "$namespace" get deployment "$app" --ignore-not-found \
    --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}' > "$saved/revision"
  cluster --namespace "$namespace" get configmap "$config" --ignore-not-found \
    --output yaml > "$saved/live.yaml"
  # Without these two, it can be written back over a newer one.
  sed -e '/^  resourceVersion: /d' -e '/^  uid: /d' "$saved/live.yaml" > "$saved/config.yaml"
}

roll_out() {
  echo "deploying to $(where)"
  remember
  cluster apply --kustomize "$(folder)"
  wait_for_rollout
}

wait_for_rollout() {
  cluster --namespace "$namespace" rollout status "deployment/$app" --timeout "${seconds}s"
}

roll_back() {
  saved=$state/${region:-all}
  if [ -d "$state" ] && [ ! -d "$saved" ]; then
    echo "nothing was deployed to $(where), so nothing is taken back"
    return
  fi
  echo "rolling back $(where)"
  if [ ! -d "$saved" ]; then
    echo "it was not deployed from here: the configuration stays as it is"
    cluster --namespace "$namespace" rollout undo "deployment/$app"
  elif [ ! -s "$saved/revision" ]; then
    fail "nothing ran in $(where) before, so there is nothing to go back to"
  else
    if [ -s "$saved/config.yaml" ]; then
      cluster replace --filename "$saved/config.yaml"
    fi
    cluster --namespace "$namespace" rollout undo "deployment/$app" \
      --to-revision "$(cat "$saved/revision")"
  fi
  wait_for_rollout
}

show() {
  echo "$(where):"
  cluster --namespace "$namespace" get deployment,pods,hpa --output wide
  cluster --namespace "$namespace" rollout history "deployment/$app"
}

answers() {
  printf '%s\n' "$urls" | while read -r url; do
    if [ -n "$url" ]; then
      echo "asking $url"
      curl --fail --silent --show-error --output /dev/null --max-time 10 \
        --retry 5 --retry-all-errors --retry-delay 5 --globoff "$url"
    fi
  done
}

check_report() {
  # One report that says so: jq 1.6 ends with 0 for a file without any.
  [ "$(jq --slurp --arg commit "$2" \
    'length == 1 and .[0].passed == true and .[0].commit == $commit' "$1")" = true ] ||
    fail "$1 does not say that commit $2 passed its gates"
  echo "commit $2 passed its gates"
}

[ $# -ge 2 ] || usage
case $1 in
  check-report)
    [ $# -eq 3 ] || usage
    check_report "$2" "$3"
    ;;
  deploy)
    choose "$2"
    [ ! -e "$here/../.sdlc-render/journal.json" ] ||
      fail "a render was killed here, so files of two may lie side by side: run sdlc deploy render"
    rm -rf "$state"
    everywhere roll_out
    ;;
  verify)
    choose "$2"
    everywhere wait_for_rollout
    answers
    ;;
  rollback)
    choose "$2"
    everywhere roll_back
    ;;
  status)
    choose "$2"
    everywhere show
    ;;
  *) usage ;;
esac
