#!/bin/sh
# Registers the namespace and the search attributes that our workflows set; safe to repeat.
set -eu

namespace=${TEMPORAL_NAMESPACE:-default}

attempt=0
until temporal operator cluster health; do
    attempt=$((attempt + 1))
    if [ "$attempt" -ge 60 ]; then
        echo "Temporal is not healthy after two minutes" >&2
        exit 1
    fi
    sleep 2
done

temporal operator namespace describe --namespace "$namespace" ||
    temporal operator namespace create --namespace "$namespace" --retention 30d

known=$(temporal operator search-attribute list --namespace "$namespace")
for name in TenantId CampaignId Kind State; do
    case "$known" in
    *"$name"*) ;;
    *) temporal operator search-attribute create --namespace "$namespace" \
        --name "$name" --type Keyword ;;
    esac
done
