"""Write the comment in $COMMENT to the pull request, over that of an earlier run of the same job.

Where nothing changed any more, that one is deleted. Only what this token wrote is touched, and only
if it begins with the anchor of $KEY. A token that may not write, as that of a fork, is no failure:
the summary of the job says the same.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

QUERY = """
query($owner: String!, $name: String!, $number: Int!, $endCursor: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $endCursor) {
        nodes { databaseId body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


def gh(*arguments: str, body: str | None = None) -> str:
    """What GitHub answers to `gh api`."""
    given = None if body is None else json.dumps({"body": body})
    more = [] if given is None else ["--input", "-"]
    command = ["gh", "api", *arguments, *more]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip() or f"gh left with {done.returncode}")
    return done.stdout


def comments(repository: str, number: str) -> Iterator[dict[str, Any]]:
    """All comments of the pull request; each page is a document of its own."""
    owner, name = repository.split("/")
    variables = ["-f", f"owner={owner}", "-f", f"name={name}", "-F", f"number={number}"]
    text = gh("graphql", "--paginate", "-f", f"query={QUERY}", *variables)
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        page, end = decoder.raw_decode(text)
        yield from page["data"]["repository"]["pullRequest"]["comments"]["nodes"]
        text = text[end:]


def keep_up_to_date(comment: str, key: str, repository: str, number: str) -> None:
    anchor = f"<!-- unetscope-diff {re.sub(r'[^A-Za-z0-9_.]+', '-', key)} -->"
    own = (
        found["databaseId"]
        for found in comments(repository, number)
        if found["viewerDidAuthor"] and found["body"].startswith(anchor)
    )
    earlier = next(own, None)
    one = f"repos/{repository}/issues/comments/{earlier}"
    if not comment:
        if earlier is not None:
            gh("-X", "DELETE", one)
        return
    body = anchor + "\n" + Path(comment).read_text(encoding="utf-8").partition("\n")[2]
    if earlier is not None:
        gh("-X", "PATCH", one, body=body)
    else:
        gh("-X", "POST", f"repos/{repository}/issues/{number}/comments", body=body)


def main() -> None:
    named = {name: os.environ.get(name, "") for name in ("COMMENT", "KEY", "REPOSITORY")}
    try:
        keep_up_to_date(*named.values(), os.environ["PULL_REQUEST"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = f"no comment was written: {error}. The summary of the job says the same."
        escaped = said.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::notice title=unetscope::{escaped}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
