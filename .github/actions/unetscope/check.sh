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

GITHUB_STEP_SUMMARY='' unetscope lock --check --format github "${configs[@]}"
keep_worst $?

left_out=0
if [ -n "${BASE:-}" ]; then
  for config in "${configs[@]}"; do
    git cat-file -e "$BASE:$config" 2>/dev/null || continue # it is new: its lock is the review
    : >"$comment.part"
    # What a job's summary would say is the comment too.
    GITHUB_STEP_SUMMARY="$comment.part" \
      unetscope diff "$BASE:$config" "$config" --format github "${arguments[@]}"
    keep_worst $?
    cat "$comment.part" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
    # GitHub takes comments of 65,536 characters.
    if [ $(($(wc -m <"$comment") + $(wc -m <"$comment.part"))) -lt 65000 ]; then
      cat "$comment.part" >>"$comment"
    else
      left_out=$((left_out + 1))
    fi
  done
fi
if [ "$left_out" -gt 0 ]; then
  printf '\n%s more changed; the summary of the job shows them.\n' "$left_out" >>"$comment"
fi
if [ -s "$comment" ]; then
  echo "comment=$comment" >>"${GITHUB_OUTPUT:-/dev/null}"
fi
exit "$worst"
