"""Open-loop load on an HTTP service: when requests are due, how they went, what that means."""
