# Sourced by .ci/run, which sets $work: steps, their counts and times, and what may be left behind.
# shellcheck shell=bash

passed=0
failed=0
skipped=0
failures=()

# step <seconds allowed> <name> <command…>: runs the command, shows the end of its output when it fails. Never tried again.
step() {
  local limit=$1 name=$2 started=$SECONDS status=0
  shift 2
  local log="$work/logs/$((passed + failed + skipped + 1)).log"
  printf '…       %s\n' "$name"
  (limit=$limit "$@") >"$log" 2>&1 </dev/null || status=$?
  local left
  left=$(processes_left)
  if [ -n "$left" ]; then
    printf '\nProcesses were left behind:\n%s\n' "$left" >>"$log"
    kill_left
    [ "$status" -ne 0 ] || status=99
  fi
  left=$(folders_left)
  if [ -n "$left" ]; then
    printf '\nFolders were left behind:\n%s\n' "$left" >>"$log"
    # Not to be found again by the steps that follow.
    printf '%s\n' "$left" | xargs -d '\n' rm -rf
    [ "$status" -ne 0 ] || status=99
  fi
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
    printf 'ok      %s (%s s)\n' "$name" "$((SECONDS - started))"
  else
    failed=$((failed + 1))
    failures+=("$name")
    printf 'FAILED  %s (%s s, exit code %s); the end of its output:\n' "$name" "$((SECONDS - started))" "$status"
    tail -n 80 "$log" | sed 's/^/        | /'
  fi
}

# What we make goes with us. Caches may stay: they are named so.
folders_left() {
  find "$TMPDIR" -mindepth 1 -maxdepth 1 -name 'jobber*' ! -name 'jobber-cache-*'
}

# skip <name> <reason>
skip() {
  skipped=$((skipped + 1))
  printf 'SKIPPED %s: %s\n' "$1" "$2"
}

# Within a step: stops a command that takes too long, with all it started in its group.
within_limit() {
  timeout --kill-after=20 "${limit:-600}" "$@"
}

# What still runs in, or on behalf of, our folder. The script itself and its parents are elsewhere.
processes_left() {
  local dir pid
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    if [ "$pid" != "$$" ] && [ "$pid" != "$BASHPID" ] && belongs_to_work "$dir"; then
      printf '%s %s\n' "$pid" "$(command_line "$dir" | cut -c1-150)"
    fi
  done
}

belongs_to_work() {
  local place
  for place in cwd exe; do
    case "$(readlink "$1/$place" 2>/dev/null)" in "$work"*) return 0 ;; esac
  done
  [[ "$(command_line "$1")" == *"$work/"* ]]
}

# It may end while we look.
command_line() {
  { tr '\0' ' ' <"$1/cmdline"; } 2>/dev/null
}

kill_left() {
  local pid rest
  processes_left | while read -r pid rest; do kill -9 "$pid" 2>/dev/null || true; done
}

# Adds the counts in vitest's JSON report. A file that could not even be loaded counts as one failure.
count_tests() {
  local counts
  if ! [ -f "$1" ]; then
    failed=$((failed + 1))
    failures+=('vitest wrote no report')
    return
  fi
  counts=$(jq -r '[.numPassedTests, .numFailedTests + ([.testResults[] | select(.status == "failed" and (.assertionResults | all(.status != "failed")))] | length), .numPendingTests + .numTodoTests] | @tsv' "$1")
  local tests_passed tests_failed tests_skipped
  read -r tests_passed tests_failed tests_skipped <<<"$counts"
  printf '        tests: %s passed, %s failed, %s skipped\n' "$tests_passed" "$tests_failed" "$tests_skipped"
  jq -r '.testResults[].assertionResults[] | select(.status | IN("passed", "failed") | not) | "        skipped: \(.fullName)"' "$1"
  passed=$((passed + tests_passed))
  failed=$((failed + tests_failed))
  skipped=$((skipped + tests_skipped))
  [ "$tests_failed" -ne 0 ] || return 0
  local failure
  while IFS= read -r failure; do failures+=("$failure"); done < <(failed_tests "$1")
}

# Adds the counts of a program whose last line is "N passed, N failed, N skipped"; its failed and skipped checks are told.
count_checks() {
  local line checks_passed checks_failed checks_skipped
  line=$(tail -n 1 "$1" 2>/dev/null)
  if ! [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    failed=$((failed + 1))
    failures+=("$(basename "$1") does not end with counts")
    return
  fi
  checks_passed=${BASH_REMATCH[1]} checks_failed=${BASH_REMATCH[2]} checks_skipped=${BASH_REMATCH[3]}
  printf '        checks: %s passed, %s failed, %s skipped\n' "$checks_passed" "$checks_failed" "$checks_skipped"
  grep '^SKIPPED' "$1" | sed 's/^SKIPPED/        skipped:/'
  passed=$((passed + checks_passed))
  failed=$((failed + checks_failed))
  skipped=$((skipped + checks_skipped))
  local failure
  while IFS= read -r failure; do failures+=("$failure"); done < <(grep -A 1 '^FAILED' "$1" | tr '\n' ' ' | sed 's/ -- /\n/g; $a\' | cut -c1-1000)
}

# Each failed test, or file that could not be loaded, with the beginning of what it says.
failed_tests() {
  jq -r '.testResults[] | select(.status == "failed") | . as $result | (.name | split("/") | last) as $file
    | ([.assertionResults[] | select(.status == "failed") | "\($file): \(.fullName): \(.failureMessages | join(" "))"]
      | if length == 0 then ["\($file): \($result.message)"] else . end)[]
    | gsub("\\s+"; " ") | .[:1500]' "$1"
}

finish() {
  printf '\n%s s in all\n' "$SECONDS"
  local failure
  for failure in "${failures[@]}"; do printf '\nfailed: %s\n' "$failure"; done
  [ "$failed" -eq 0 ] || printf '\nIn short:\n'
  # Of a long output often only the end is seen.
  for failure in "${failures[@]}"; do printf '%s\n' "${failure:0:200}"; done
  local last="$passed passed, $failed failed"
  [ "$skipped" -eq 0 ] || last="$last, $skipped skipped"
  printf '%s\n' "$last"
  [ "$failed" -eq 0 ]
}
