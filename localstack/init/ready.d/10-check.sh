#!/bin/bash
# Run by LocalStack once it is ready. Makes the bucket that deployments are uploaded to, and says early and plainly
# when the plugins are missing: without them the stack deploys, and no function ever runs.
set -euo pipefail

awslocal s3api head-bucket --bucket huitong-artifacts 2>/dev/null || awslocal s3 mb s3://huitong-artifacts
for service in glue cognito-idp; do
  curl -sf "http://${GATEWAY_LISTEN:-127.0.0.1:4566}/_localstack/health" | grep -q "\"${service}\"" \
    || { echo "huitong: the plugins of localstack/host_mode are not installed (no ${service})" >&2; exit 1; }
done
