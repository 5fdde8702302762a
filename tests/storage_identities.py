"""A SeaweedFS with identities that have the rights of the runbook, each without one of them."""

import json
import re
from pathlib import Path

import boto3
from botocore.config import Config

RUNBOOK = Path(__file__).parents[1] / "deploy" / "runbooks" / "storage.md"
ADMIN = "administrator"
NAMES = ("registry-documents", "registry-seals")  # of the buckets, in the policies of the runbook


def read_policies():
    """The policies of the runbook, by the name of the bucket."""
    blocks = re.findall(r"```json\n(.*?)```", RUNBOOK.read_text(encoding="utf-8"), re.DOTALL)
    return dict(zip(NAMES, map(json.loads, blocks), strict=True))


def list_actions(policy):
    """The rights that a policy grants."""
    return [action for statement in policy["Statement"] for action in statement["Action"]]


def deny(policy, *actions):
    """The policy without these rights.

    They are denied, and not left out: SeaweedFS lets whoever may write break uploads off.
    """
    if not actions:
        return policy
    resources = policy["Statement"][0]["Resource"]
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": resources}
    return {**policy, "Statement": [*policy["Statement"], statement]}


def name_identity(bucket, *actions):
    """The name of who has the rights of the runbook on a bucket but for these; his key, too."""
    return "-".join((bucket, *actions)).replace(":", "-").lower()


def secret_of(name):
    return f"secret-{name}"


def write_identities(directory, policies):
    """Write the file that SeaweedFS reads: an administrator, and an identity for each policy."""
    admin = {
        "name": ADMIN,
        "credentials": [{"accessKey": ADMIN, "secretKey": secret_of(ADMIN)}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    others = [
        {
            "name": name,
            "credentials": [{"accessKey": name, "secretKey": secret_of(name)}],
            "actions": [],
            "policyNames": [name],
        }
        for name in policies
    ]
    contents = [{"name": name, "content": json.dumps(each)} for name, each in policies.items()]
    directory.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"identities": [admin, *others], "policies": contents})
    (directory / "s3.json").write_text(content)


def make_client(store, name):
    """A client with the key of an identity; no retries, since an answer is what is asked for."""
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=name,
        aws_secret_access_key=secret_of(name),
        config=Config(
            s3={"addressing_style": "path"}, proxies={}, retries={"total_max_attempts": 1}
        ),
    )
