"""What zenoh sessions of both sides have in common: nothing is found by itself, and TLS is mutual."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import zenoh

from rtgym_ros.train.security.credentials import Credentials


def query_key(run: str, role: str) -> str:
    """Return the key expression on which the gateway of ``run`` answers ``role``."""
    return f"rtgym_ros/{run}/{role}"


def make_zenoh_config(
    mode: str, credentials: Credentials | None, side: str, settings: Mapping[str, Any]
) -> zenoh.Config:
    """Return the configuration of a session.

    Args:
        mode: ``"client"`` or ``"router"``.
        credentials: shown to the other side, which must show its own; None for no TLS.
        side: ``"connect"`` or ``"listen"``: what the certificate is for.
        settings: more of zenoh's settings, by path.
    """
    config = zenoh.Config()
    values: dict[str, Any] = {
        "mode": mode,
        "listen/endpoints": [],
        "scouting/multicast/enabled": False,
        "scouting/gossip/enabled": False,
        "transport/shared_memory/enabled": False,
        "adminspace/enabled": False,
    }
    if credentials is not None:
        # Texts, not paths: they may come from the environment.
        values |= {
            "transport/link/tls/root_ca_certificate_base64": _base64(credentials.authority),
            f"transport/link/tls/{side}_certificate_base64": _base64(credentials.certificate),
            f"transport/link/tls/{side}_private_key_base64": _base64(credentials.key),
            "transport/link/tls/enable_mtls": True,
            "transport/link/tls/verify_name_on_connect": True,
            "transport/link/tls/close_link_on_expiration": True,
        }
    for path, value in (values | dict(settings)).items():
        config.insert_json5(path, json.dumps(value))
    return config


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
