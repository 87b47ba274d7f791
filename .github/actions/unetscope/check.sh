#!/usr/bin/env bash
# Checks the locks of $CONFIGS and compares the configs with those at $BASE.
# Exit 0: nothing to say against; 1: a lock is stale, or a change fails; 2: could not be done.
set -uo pipefail
shopt -s nullglob globstar

# Globs and options are meant to be split into words.
# shellcheck disable=SC2206
configs=($CONFIGS) arguments=(${ARGUMENTS:-})
if [ ${#configs[@]} -eq 0 ]; then
  echo "error: no config matches \`$CONFIGS\`" >&2
  exit 2
fi
comment="${RUNNER_TEMP:-$(mktemp -d)}/unetscope-comment.md"
: >"$comment"
worst=0
keep_worst() { [ "$1" -le "$worst" ] || worst=$1; }

# Each step below is told apart in the job's summary by its own Markdown, once.
GITHUB_STEP_SUMMARY='' unetscope lock --check --format github "${configs[@]}"
keep_worst $?

if [ -n "${BASE:-}" ]; then
  for config in "${configs[@]}"; do
    git cat-file -e "$BASE:$config" 2>/dev/null || continue # it is new: its lock is the review
    unetscope diff "$BASE:$config" "$config" --format github "${arguments[@]}"
    keep_worst $?
    GITHUB_STEP_SUMMARY='' unetscope diff "$BASE:$config" "$config" --format markdown \
      --fail-on none >>"$comment"
    keep_worst $?
  done
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  if [ -s "$comment" ]; then echo "comment=$comment" >>"$GITHUB_OUTPUT"; fi
fi
exit "$worst"
