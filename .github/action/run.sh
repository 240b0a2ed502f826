#!/usr/bin/env bash
# What the steps of the Action do (action.yml): run.sh plan, build, gate, verdict, in that order.
#
# Everything comes in by the environment: INPUT_* are the Action's inputs, PLAN_* what
# plan has settled, the rest is what a runner sets for every step. No value is ever part
# of a script's text, and each becomes one argument, so it is data whatever is in it.
# It keeps to what bash 3.2 knows, which is the one of macOS.
set -euo pipefail

module=github.com/panelgate/panelgate

die() {
	echo "::error title=panelgate::$(escape "$*")"
	exit 2
}

# escape keeps a message one workflow command, as GitHub's own toolkit does.
escape() {
	local text=$1
	text=${text//%/%25}
	text=${text//$'\r'/%0D}
	printf '%s' "${text//$'\n'/%0A}"
}

# output sets an output of the step. A value of several lines could set others.
output() {
	case $2 in *$'\n'* | *$'\r'*) die "the output $1 would have several lines" ;; esac
	printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# slug leaves what file names, cache keys and the names of artifacts may have.
slug() {
	printf '%s' "$1" | tr -c 'A-Za-z0-9._-' '-' | cut -c1-80
}

# source_key names what a build of the Action's own checkout makes: every file may be
# compiled in, and the program remembers where its source was, to build the fakes from.
source_key() {
	local sum=(sha256sum)
	command -v sha256sum >/dev/null || sum=(shasum -a 256)
	{
		printf '%s\n' "$GITHUB_ACTION_PATH"
		cd "$GITHUB_ACTION_PATH"
		find . -name .git -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 "${sum[@]}"
	} | "${sum[@]}" | cut -c1-32
}

# file_of is what a report's file is called; nothing for what is no report.
file_of() {
	case $1 in
	json) echo report.json ;;
	ndjson) echo events.ndjson ;;
	junit) echo junit.xml ;;
	sarif) echo report.sarif ;;
	markdown) echo report.md ;;
	html) echo report.html ;;
	code-quality) echo code-quality.json ;;
	png) echo png ;;
	esac
}

# reports are the formats that are asked for, one a line, each once.
reports() {
	printf '%s\n' "$INPUT_REPORTS" | tr ', \t\r' '\n' | awk 'NF && !seen[$0]++'
}

# carries says whether results are carried from run to run: those of the embedded
# environment are, unless panels are to be drawn, which asks them all.
carries() {
	[ "$INPUT_ENV" = embedded ] && [ -z "$INPUT_MERGE" ] && ! reports | grep -xE 'html|ndjson|png' >/dev/null
}

# plan refuses what cannot be meant before anything is installed, and settles where the
# program is to be and under which name it is cached.
plan() {
	local format key
	while IFS= read -r format; do
		[ -n "$(file_of "$format")" ] ||
			die "reports: $format is none of json, ndjson, junit, sarif, markdown, html, code-quality, png"
	done < <(reports)

	if [ -n "$INPUT_VERSION" ]; then
		# What moves, as a branch or "latest", could neither be cached nor be repeated.
		[[ $INPUT_VERSION =~ ^(v[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*|[0-9a-f]{12,40})$ ]] ||
			die "version: $INPUT_VERSION is neither a release, as v1.2.3, nor a commit"
		key=$(slug "$INPUT_VERSION")
	else
		key=$(source_key)
	fi
	key=panelgate-$(slug "${RUNNER_OS:-$(uname -s)}")-$(slug "${RUNNER_ARCH:-$(uname -m)}")-$key
	output cache-key "$key"
	output directory "$RUNNER_TEMP/panelgate/$key"
	output go-mod "$GITHUB_ACTION_PATH/go.mod"

	if carries; then
		key=panelgate-results-$(slug "${GITHUB_JOB:-job}${INPUT_SHARD:+-$INPUT_SHARD}")-
		output results "$RUNNER_TEMP/panelgate-results"
		output results-of-job "$key"
		key+=$(slug "${GITHUB_REF_NAME:-ref}")-
		output results-of-branch "$key"
		output results-key "$key${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-1}"
	fi
}

# build makes the program, unless the cache has brought it.
build() {
	local program=$PLAN_DIRECTORY/panelgate
	mkdir -p "$PLAN_DIRECTORY"
	if [ -n "$INPUT_VERSION" ]; then
		if [ ! -x "$program" ]; then
			# It may want a newer Go than this checkout, which setup-go would not have fetched.
			CGO_ENABLED=0 GOTOOLCHAIN=auto GOBIN=$PLAN_DIRECTORY go install "$module/ci@$INPUT_VERSION"
			mv "$PLAN_DIRECTORY/ci" "$program"
		elif [ "$INPUT_ENV" != embedded ]; then
			go mod download "$module@$INPUT_VERSION" # the fakes are built from it
		fi
	elif [ ! -x "$program" ]; then
		# No cgo: a static program goes into a Dagger engine as it is. No -trimpath: it
		# has to find its source again. No revision: the cache is by content.
		(cd "$GITHUB_ACTION_PATH" && CGO_ENABLED=0 GOWORK=off go build -buildvcs=false -ldflags='-s -w' -o "$program" ./ci)
	fi
	"$program" version
}

# count prints one of the report's counts. The report is indented JSON, in which no
# string spans lines, so that its lines can be told apart without jq.
count() {
	awk -v name="\"$2\":" '
		/^  "counts": \{/ { inside = 1 }
		inside && $1 == name { sub(/,$/, "", $2); print $2; exit }
		/^  \}/ { inside = 0 }
	' "$1"
}

# gate runs the proof. The step succeeds whatever the verdict is, so that the reports
# are uploaded; the last step ends as the gate did.
gate() {
	local out json format line code=0 verdict name
	out=$(mktemp -d "$RUNNER_TEMP/panelgate-reports.XXXXXX")
	json=$(mktemp -d "$RUNNER_TEMP/panelgate-result.XXXXXX")/report.json
	local command=("$PLAN_DIRECTORY/panelgate") args=(check "--stack=$INPUT_STACK" "--env=$INPUT_ENV" "--fail-on=$INPUT_FAIL_ON")
	[ -z "$INPUT_CONFIG" ] || args+=("--config=$INPUT_CONFIG")
	[ -z "$INPUT_SHARD" ] || args+=("--shard=$INPUT_SHARD")
	[ -z "$INPUT_MERGE" ] || args=(merge)
	while IFS= read -r format; do
		[ "$format" != json ] || json=$out/$(file_of json)
		[ "$format" = json ] || args+=("--$format=$out/$(file_of "$format")")
	done < <(reports)
	while IFS= read -r line; do
		line=${line%$'\r'}
		[ -z "$line" ] || args+=("$line")
	done <<<"$INPUT_ARGS"
	args+=("--json=$json") # last, so that it holds
	if [ -n "$INPUT_MERGE" ]; then
		args+=(--) # what follows are files
		while IFS= read -r line; do
			line=${line%$'\r'}
			[ -z "$line" ] || args+=("$line")
		done <<<"$INPUT_MERGE"
	elif [ "$INPUT_ENV" = dagger ] && [ -z "${DAGGER_SESSION_PORT-}" ] && command -v dagger >/dev/null; then
		command=(dagger --progress=plain run "${command[@]}")
	fi

	[ -z "$PLAN_RESULTS" ] || export PANELGATE_CACHE_DIR="${PANELGATE_CACHE_DIR:-$PLAN_RESULTS}"
	"${command[@]}" "${args[@]}" || code=$?
	# As with --help among the args: what has checked nothing has not passed.
	[ "$code" != 0 ] || [ -s "$json" ] || code=3

	case $code in
	0) verdict=pass ;;
	1) verdict=fail ;;
	*) verdict=error ;;
	esac
	output exit-code "$code"
	output verdict "$verdict"
	if [ -s "$json" ]; then
		output json "$json"
		local errors warnings infos
		errors=$(count "$json" errors) warnings=$(count "$json" warnings) infos=$(count "$json" infos)
		if [ -n "$errors" ]; then # a matrix has counts of its cells alone
			output errors "$errors"
			output warnings "$warnings"
			output findings "$((errors + warnings + infos))"
		fi
	fi
	output reports "$out"
	while IFS= read -r format; do
		name=$out/$(file_of "$format")
		[ "$format" = json ] || [ ! -e "$name" ] || output "$format" "$name"
	done < <(reports)
	output artifact "$(slug "${INPUT_ARTIFACT:-panelgate-${GITHUB_JOB:-job}-$INPUT_ENV${INPUT_SHARD:+-$INPUT_SHARD}}")"
}

# verdict ends the Action as the gate ended.
verdict() {
	case $GATE_EXIT_CODE in
	0) ;;
	1) echo "panelgate: findings, see above, the annotations and the summary" ;;
	2) echo "::error title=panelgate::Wrong usage or configuration: the log of the gate's step says what." ;;
	*) echo "::error title=panelgate::The proof could not be run: the log of the gate's step says why." ;;
	esac
	exit "$GATE_EXIT_CODE"
}

case ${1-} in
plan | build | gate | verdict) "$1" ;;
*) die "usage: run.sh plan|build|gate|verdict" ;;
esac
