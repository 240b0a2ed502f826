#!/usr/bin/env bash
# The one check that branch protection requires: fails where a job that this one needs has
# failed or was cancelled. RESULTS are their results, CHANGES is that of the job that
# filters paths. A job that was skipped passes: there was nothing for it to look at, but
# only if the filter itself has worked.
set -euo pipefail

echo "changes: $CHANGES, jobs: $RESULTS"
[ "$CHANGES" = success ] || { echo "::error::what has changed is not known"; exit 1; }
for result in $RESULTS; do
	case $result in
	success | skipped) ;;
	*) echo "::error::not every job has passed"; exit 1 ;;
	esac
done
