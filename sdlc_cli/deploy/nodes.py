"""What a type of AWS instance is: its processor, and whether it has graphics cards."""

import re

_INSTANCE = re.compile(r"([a-z]+)[0-9]+([a-z-]*)\.")
_NVIDIA = ("g", "gr", "p")  # families with NVIDIA's processors


def is_arm(instance: str) -> bool:
    """Whether the processor is AWS' own, for which an image has to be built."""
    return "ARM" in node_image(instance)


def node_image(instance: str) -> str:
    """The image of EKS for nodes of that type: m7g.large is ARM, g5.xlarge has NVIDIA's cards.

    https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
    """
    match = _INSTANCE.match(instance)
    family, options = (match[1], match[2]) if match else ("", "")
    processor = "ARM_64" if "g" in options.partition("-")[0] else "x86_64"
    # g4ad has AMD's cards.
    cards = "_NVIDIA" if family in _NVIDIA and not instance.startswith("g4ad") else ""
    return f"BOTTLEROCKET_{processor}{cards}"
