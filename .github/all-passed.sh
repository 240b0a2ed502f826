#!/usr/bin/env bash
# The one check that branch protection requires: all-passed.sh fails where a job that this
# one needs has failed or was cancelled. JOBS is the `needs` context as JSON. A job that
# was skipped passes, since path filters skip, but only what the filters job has judged.
set -euo pipefail

results=$(jq -r 'to_entries[] | "\(.key) \(.value.result)"' <<<"$JOBS")
[ -n "$results" ] || { echo "::error::no job is needed: nothing was checked"; exit 1; }
echo "$results"
if grep -q '^changes ' <<<"$results" && ! grep -qx 'changes success' <<<"$results"; then
	echo "::error::what has changed is not known"
	exit 1
fi
if grep -vqE ' (success|skipped)$' <<<"$results"; then
	echo "::error::not every job has passed"
	exit 1
fi
