"""Ports of this machine."""

import socket


def spare_port() -> int:
    """A port on loopback that nobody listens on now; somebody else may still take it first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
