#!/usr/bin/env bash
# Writes the comment in $COMMENT to the pull request, over that of an earlier run; where nothing
# changed any more, that one is deleted.
set -euo pipefail

marker='<!-- unetscope-diff -->'
comments="repos/$REPOSITORY/issues/$PULL_REQUEST/comments"
earlier=$(gh api --paginate "$comments" \
  --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -z "${COMMENT:-}" ]; then
  [ -z "$earlier" ] || gh api -X DELETE "repos/$REPOSITORY/issues/comments/$earlier"
elif [ -n "$earlier" ]; then
  gh api -X PATCH "repos/$REPOSITORY/issues/comments/$earlier" -F "body=@$COMMENT" >/dev/null
else
  gh api -X POST "$comments" -F "body=@$COMMENT" >/dev/null
fi
