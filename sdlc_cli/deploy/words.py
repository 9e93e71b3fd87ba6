"""The words of deploy.yaml: what a name, a path, an address or an amount in it may look like."""

import re
from typing import Annotated, Literal

from msgspec import Meta

from sdlc_cli.deploy.quantity import CPU_PATTERN, SIZE_PATTERN

# `$` alone also matches before a newline at the end of the text.
_END = r"$(?!\n)"
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_DASHED = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*"
_PATH = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?"

# Objects are called <app>-<environment> or <app>-<what>; none may be longer than 63 letters.
AppName = Annotated[str, Meta(max_length=40, pattern=_DASHED + _END, examples=["assistant"])]
EnvironmentName = Annotated[str, Meta(max_length=16, pattern=_DASHED + _END, examples=["prod"])]
PortName = Annotated[str, Meta(max_length=15, pattern=_DASHED + _END, examples=["http"])]
PartName = Annotated[str, Meta(max_length=20, pattern=_DASHED + _END, examples=["main"])]
RegionName = Annotated[str, Meta(max_length=24, pattern=_DASHED + _END, examples=["eu-west-1"])]
Label = Annotated[str, Meta(max_length=63, pattern=rf"^{_LABEL}{_END}", examples=["monitoring"])]
ObjectName = Annotated[
    str,
    Meta(max_length=253, pattern=rf"^{_LABEL}(\.{_LABEL})*{_END}", examples=["cluster-secrets"]),
]
Variable = Annotated[
    str, Meta(max_length=128, pattern=rf"^[A-Za-z_][A-Za-z0-9_]*{_END}", examples=["LOG_LEVEL"])
]
FlagName = Annotated[
    str, Meta(max_length=63, pattern=rf"^[A-Za-z][A-Za-z0-9_-]*{_END}", examples=["new-router"])
]
LabelKey = Annotated[
    str,
    Meta(
        max_length=317,
        pattern=rf"^({_LABEL}(\.{_LABEL})*/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?{_END}",
        examples=["nvidia.com/gpu"],
    ),
]
ResourceName = Annotated[
    str,
    Meta(
        max_length=317,
        pattern=rf"^{_LABEL}(\.{_LABEL})*/[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?{_END}",
        examples=["nvidia.com/gpu"],
    ),
]
LabelValue = Annotated[
    str,
    Meta(
        max_length=63,
        pattern=rf"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?{_END}",
        examples=["g5.xlarge"],
    ),
]

Text = Annotated[str, Meta(min_length=1, max_length=300)]
Owner = Annotated[str, Meta(min_length=1, max_length=100)]
Value = Annotated[str, Meta(max_length=8192)]  # of an environment variable
Url = Annotated[
    str, Meta(max_length=300, pattern=r"^(https?://[^\s/?#]+.*)?" + _END, examples=["https://…"])
]
UrlPath = Annotated[
    str, Meta(max_length=200, pattern=r"^/[!-~]*" + _END, examples=["/health/live"])
]
FilePath = Annotated[str, Meta(min_length=1, max_length=300)]
AbsolutePath = Annotated[
    str, Meta(max_length=300, pattern=r"^/.+" + _END, examples=["/etc/app/receiver"])
]

Host = Annotated[
    str, Meta(max_length=253, pattern=rf"^{_HOST}{_END}", examples=["api.example.com"])
]
Domain = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=rf"^([a-z0-9]([a-z0-9-]{{0,61}}[a-z0-9])?\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?{_END}",
        examples=["assistant.example.com"],
    ),
]
HostPort = Annotated[
    str,
    Meta(
        max_length=260,
        pattern=rf"^({_HOST}:[0-9]{{1,5}})?{_END}",
        examples=["proxy.example.com:3128"],
    ),
]
Cidr = Annotated[str, Meta(max_length=43, examples=["10.0.0.0/16"])]

REPOSITORY = rf"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{{1,5}})?/)?{_PATH}(/{_PATH})*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"
Repository = Annotated[
    str,
    Meta(
        max_length=255, pattern=rf"^{REPOSITORY}{_END}", examples=["registry.example.com/assistant"]
    ),
]
Tag = Annotated[str, Meta(pattern=rf"^({TAG})?{_END}", examples=["1.4.0"])]
Digest = Annotated[str, Meta(pattern=rf"^({DIGEST})?{_END}", examples=["sha256:" + 64 * "0"])]

Cpu = Annotated[str, Meta(pattern=CPU_PATTERN, examples=["250m"])]
Size = Annotated[str, Meta(pattern=SIZE_PATTERN, examples=["512Mi"])]
PortNumber = Annotated[int, Meta(ge=1024, le=65535)]  # lower ones need a capability
RemotePort = Annotated[int, Meta(ge=1, le=65535)]
Replicas = Annotated[int, Meta(ge=1, le=1000)]

Version = Annotated[str, Meta(max_length=20, pattern=rf"^[0-9]+(\.[0-9]+)*{_END}", examples=["17"])]
PythonVersion = Annotated[str, Meta(pattern=rf"^3\.1[0-9]{_END}", examples=["3.12"])]
# Minor versions with the same API for everything that is rendered.
KubernetesVersion = Literal["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]
AwsRegion = Annotated[
    str, Meta(pattern=rf"^([a-z]{{2}}(-[a-z]+)+-[0-9])?{_END}", examples=["eu-west-1"])
]
AwsRole = Annotated[
    str,
    Meta(
        max_length=300,
        pattern=rf"^(arn:aws[a-z-]*:iam::[0-9]{{12}}:role/[A-Za-z0-9_+=,.@/-]+)?{_END}",
        examples=["arn:aws:iam::123456789012:role/deploy"],
    ),
]
Bucket = Annotated[
    str,
    Meta(
        max_length=63,
        pattern=rf"^([a-z0-9][a-z0-9.-]+[a-z0-9])?{_END}",
        examples=["example-terraform-state"],
    ),
]
Instance = Annotated[
    str, Meta(max_length=40, pattern=rf"^[a-z0-9-]+\.[a-z0-9-]+{_END}", examples=["m7g.large"])
]
DatabaseInstance = Annotated[
    str, Meta(max_length=40, pattern=rf"^db(\.[a-z0-9-]+)+{_END}", examples=["db.t4g.medium"])
]
CacheInstance = Annotated[
    str, Meta(max_length=40, pattern=rf"^cache(\.[a-z0-9-]+)+{_END}", examples=["cache.t4g.small"])
]
GitHubRepository = Annotated[
    str,
    Meta(
        max_length=140,
        pattern=rf"^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+)?{_END}",
        examples=["owner/name"],
    ),
]
Runner = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=rf"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?{_END}",
        examples=["ubuntu-24.04"],
    ),
]
Branch = Annotated[
    str, Meta(max_length=200, pattern=rf"^[A-Za-z0-9][A-Za-z0-9._/-]*{_END}", examples=["main"])
]

# A region of AWS, also among names that may be of any form.
AWS_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
# Line ends, controls, and marks that turn the direction of writing: whoever reviews a rendered
# file would not see what it says (https://trojansource.codes).
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
