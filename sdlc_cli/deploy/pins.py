"""The one table of GitHub actions and their commits. Nothing else in sdlc knows a commit.

A tag can be moved, a commit cannot; and no checker tells an invented commit from a real one. So a
commit enters this table only after it was read from the action's own tag.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sdlc_cli.deploy.escape import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """An action at one commit. `seen` is where the commit was read, `date` year and month."""

    action: str  # owner/name
    version: str
    commit: str
    seen: str = "the action's own tag"
    date: str = "2026-11"


PINS: Mapping[str, Pin] = {
    action: Pin(action=action, version=version, commit=commit)
    for action, version, commit in (
        ("actions/checkout", "v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1"),
        ("actions/setup-python", "v7.0.0", "5fda3b95a4ea91299a34e894583c3862153e4b97"),
        ("astral-sh/setup-uv", "v10.0.1", "20cfd1bf945f4377ade1205e4dbc17946fc9a30d"),
        ("actions/cache", "v5.0.5", "27d5ce7f107fe9357f9df03efb73ab90386fccae"),
        ("actions/upload-artifact", "v7.0.0", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"),
        ("actions/download-artifact", "v8.0.1", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"),
        ("docker/setup-buildx-action", "v4.3.0", "37fe631027851001ddb9b187196cc803df7f5f0e"),
        ("docker/login-action", "v4.1.0", "4907a6ddec9925e35a0a9e82d7399ccc52663121"),
        ("docker/build-push-action", "v7.3.0", "53b7df96c91f9c12dcc8a07bcb9ccacbed38856a"),
        (
            "aws-actions/configure-aws-credentials",
            "v6.2.3",
            "e6de054238d6b7531b4efff3b6587d9aade6a06c",
        ),
        ("aws-actions/amazon-ecr-login", "v2.1.7", "03f1aad4c6c7ffd436567f42f9384779290529bd"),
        (
            "actions/attest-build-provenance",
            "v4.1.0",
            "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32",
        ),
        ("anchore/sbom-action", "v0.24.0", "e22c389904149dbc22b58101806040fa8d37a610"),
        ("sigstore/cosign-installer", "v4.1.2", "6f9f17788090df1f26f669e9d70d6ae9567deba6"),
    )
}


def uses() -> dict[str, Written]:
    """What a workflow writes behind `uses:` for each action: commit, and version to read."""
    return {
        action: Written(f"{action}@{pin.commit} # {pin.version}") for action, pin in PINS.items()
    }
