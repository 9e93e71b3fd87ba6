"""What a copy that a server will not take is told by, with or without the server's driver."""


class Refusal(Exception):
    """The server will never take one of these rows."""
