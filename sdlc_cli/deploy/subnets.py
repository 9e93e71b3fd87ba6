"""How the network of an environment is cut, for Terraform and for network policies alike.

`terraform/aws/main.tf` does the same with `cidrsubnet`: three quarters for nodes, the last in
eighths: three for data, three for load balancers, two left free.
"""

from ipaddress import ip_network
from itertools import islice

ZONES = 3
_DATA = 24  # of 32 equal parts


def data(vpc_cidr: str) -> tuple[str, ...]:
    """The subnets of databases and caches. Raises ValueError for what is no network."""
    parts = ip_network(vpc_cidr).subnets(prefixlen_diff=5)
    return tuple(str(part) for part in islice(parts, _DATA, _DATA + ZONES))
