#!/usr/bin/env bash
# Checks the locks of $CONFIGS, and compares them with the commit where the branch left $BASE.
# Exit 0: nothing to say against; 1: a lock is stale, or a change fails; 2: could not be done.
set -uo pipefail
shopt -s nullglob globstar

# Globs and options are meant to be split into words; `diff` finds what was deleted by the globs.
# shellcheck disable=SC2206
set -f && paths=($CONFIGS) arguments=(${ARGUMENTS:-}) && set +f
# shellcheck disable=SC2206
files=($CONFIGS) configs=()
for file in "${files[@]}"; do
  case $file in *.yaml | *.yml | *.json) configs+=("$file") ;; esac
done
if [ ${#configs[@]} -eq 0 ] && [ -z "${BASE:-}" ]; then
  echo "error: no config matches \`$CONFIGS\`" >&2
  exit 2
fi
code=0 compared=0
if [ ${#configs[@]} -gt 0 ]; then
  GITHUB_STEP_SUMMARY='' unetscope lock --check --format github -- "${configs[@]}" || code=$?
fi
if [ -n "${BASE:-}" ]; then
  comment="${RUNNER_TEMP:-$(mktemp -d)}/unetscope-comment.md"
  : >"$comment"
  unetscope diff --base "$BASE" --format github --comment "$comment" "${arguments[@]}" \
    -- "${paths[@]}" || compared=$?
  # An earlier comment stays as it is where not everything could be compared.
  if [ "$compared" -le 1 ]; then
    echo "compared=true" >>"${GITHUB_OUTPUT:-/dev/null}"
  fi
  if [ -s "$comment" ]; then
    echo "comment=$comment" >>"${GITHUB_OUTPUT:-/dev/null}"
  fi
fi
exit $((code > compared ? code : compared))
