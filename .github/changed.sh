#!/usr/bin/env bash
# Says whether a change touches anything that the gate or the tests look at:
# changed.sh [BASE] compares HEAD with the commit BASE and sets the output `code`.
# Prose does not count, but for the rules' pages, which are part of the program.
# Where the base is unknown, as on a new branch or after a force push, everything counts.
set -euo pipefail

code=true
if [ -n "${1-}" ] && git rev-parse --quiet --verify "$1^{commit}" >/dev/null; then
	code=false
	while IFS= read -r -d '' file; do
		case $file in
		docs/rules/* | docs/examples/*) code=true ;;
		*.md | LICENSE) ;;
		*) code=true ;;
		esac
	done < <(git diff -z --name-only --no-renames "$1" HEAD)
fi
printf 'code=%s\n' "$code" | tee -a "$GITHUB_OUTPUT"
