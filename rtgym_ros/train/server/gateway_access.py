"""What the gateway's zenoh router lets through: an allow-list by the common name of certificates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtgym_ros.train.links.zenoh_settings import query_key
from rtgym_ros.train.security.credentials import TRAINER


def access_control(run: str, workers: Sequence[str], plain: bool) -> dict[str, Any]:
    """Return zenoh's ``access_control``: queries of a role on its own key come in, replies go out, and nothing else.

    Args:
        run: name of the run.
        workers: common names of the workers' certificates.
        plain: whether there are endpoints without certificates, too: what comes over TCP may be of either role.
    """
    who: dict[str, dict[str, Any]] = {"trainer": {"cert_common_names": [TRAINER], "link_protocols": ["tls"]}}
    if workers:
        who["worker"] = {"cert_common_names": list(workers), "link_protocols": ["tls"]}
    if plain:
        who["plain"] = {"link_protocols": ["tcp"]}
    rules: list[dict[str, Any]] = []
    for role in ("worker", "trainer"):
        for flow, message in (("ingress", "query"), ("egress", "reply")):
            rules.append(
                {
                    "id": f"{role}-{message}",
                    "permission": "allow",
                    "flows": [flow],
                    "messages": [message],
                    "key_exprs": [query_key(run, role)],
                }
            )
    return {
        "enabled": True,
        "default_permission": "deny",
        "rules": rules,
        "subjects": [{"id": name, **properties} for name, properties in who.items()],
        "policies": [
            {
                "subjects": [name],
                "rules": [rule["id"] for rule in rules if name == "plain" or rule["id"].startswith(f"{name}-")],
            }
            for name in who
        ],
    }
