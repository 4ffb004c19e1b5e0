"""What differs between the releases of BlueMind that the stand-in can be."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Variant:
    """One release: `cyrus` stands for all that 5.0 has dropped (Cyrus, sieve, HPS, replication).

    With `keycloak` the server has the tag bm/keycloak, and logins by OpenID. `successor` is the next major version,
    which the repository has for a subscription that is for it.
    """

    version: str
    name: str
    cyrus: bool
    generated_password: bool
    firewall: str
    log_endpoint: bool
    services: tuple[str, ...]
    packages: dict[str, str]
    newer: str
    newer_name: str
    keycloak: bool = False
    successor: str = ""

    def packages_of(self, version: str) -> dict[str, str]:
        """The packages of this release or of the newer one, to which it can be updated."""
        return {name: version if own == self.version else own for name, own in self.packages.items()}


SERVICES = (
    *("bm-core", "bm-node", "bm-webserver", "bm-eas", "bm-mapi", "bm-milter", "bm-tika", "bm-ysnp"),
    *("bm-elasticsearch", "bm-iptables"),
)
COMMON = (
    *("bm-cli", "bm-client-access", "bm-conf", "bm-core", "bm-core-upgraders", "bm-full", "bm-mapi"),
    *("bm-milter", "bm-node", "bm-plugin-cli-setup", "bm-plugin-core-subscription", "bm-postfix"),
    *("bm-setup-wizard", "bm-tika", "bm-webmail", "bm-webserver", "bm-ysnp"),
)


def _packages(version: str, more: tuple[str, ...], foreign: dict[str, str]) -> dict[str, str]:
    """BlueMind's packages, all of one version, and those of others' software, which have their own."""
    return {**dict.fromkeys((*COMMON, *more), version), **foreign}


VARIANTS = {
    "4.9": Variant(
        version="4.9.3884",
        name="4.9.9",
        newer="4.9.4012",
        newer_name="4.9.10",
        cyrus=True,
        generated_password=False,
        firewall="/api/system/security/_updatefirewallrules",
        log_endpoint=False,
        services=(*SERVICES, "bm-hps", "bm-lmtpd", "bm-cyrus-imapd"),
        packages=_packages(
            "4.9.3884",
            ("bm-cyrus", "bm-hps", "bm-lmtpd"),
            {
                "bm-elasticsearch": "1:7.17.9-bluemind1048",
                "bm-nginx": "1.23.3-bluemind1201",
                "bm-postgresql": "14.6-bluemind812",
            },
        ),
    ),
    # 5.x answers IMAP and LMTP in core itself
    "5.1": Variant(
        version="5.1.8120",
        name="5.1.2",
        newer="5.1.8203",
        newer_name="5.1.3",
        cyrus=False,
        generated_password=True,
        firewall="/internal-api/system/firewall/_updatefirewallrules",
        log_endpoint=True,
        services=(*SERVICES, "bm-keycloak"),
        packages=_packages(
            "5.1.8120",
            (),
            {
                "bm-elasticsearch": "1:7.17.18-bluemind1156",
                "bm-keycloak": "24.0.3-bluemind2588",
                "bm-nginx": "1.25.4-bluemind1413",
                "bm-postgresql": "16.2-bluemind1055",
            },
        ),
    ),
    # numbers by PyPI's netbluemind5 5.7.3268; services by the documentation of 5.2, which lists bm-keydb and bm-lmtpd
    "5.7": Variant(
        version="5.7.3268",
        name="5.7.2",
        newer="5.7.3310",
        newer_name="5.7.3",
        cyrus=False,
        generated_password=True,
        firewall="/internal-api/system/firewall/_updatefirewallrules",
        log_endpoint=True,
        services=(*SERVICES, "bm-keycloak", "bm-keydb", "bm-lmtpd"),
        packages=_packages(
            "5.7.3268",
            ("bm-lmtpd",),
            {
                "bm-elasticsearch": "1:7.17.18-bluemind1156",
                "bm-keycloak": "24.0.3-bluemind2588",
                "bm-keydb": "6.3.4-bluemind12",
                "bm-nginx": "1.25.4-bluemind1413",
                "bm-postgresql": "16.2-bluemind1055",
            },
        ),
        keycloak=True,
    ),
}

OLD = VARIANTS["4.9"]
VARIANTS["4.9-last"] = replace(
    OLD,
    version=OLD.newer,
    name=OLD.newer_name,
    packages=OLD.packages_of(OLD.newer),
    successor="5.1",
)
"""The last release of 4, from which alone the next major version is reached (BlueMind's page Major Version Update)."""


def successor_of(variant: Variant) -> Variant | None:
    return VARIANTS[variant.successor] if variant.successor else None


ROLES = {
    "mailbox": (
        ("bm-node", "bm-milter", "bm-lmtpd", "bm-cyrus-imapd"),
        ("bm-conf", "bm-node", "bm-lmtpd", "bm-cyrus", "bm-milter"),
    ),
    "edge": (("bm-node",), ("bm-conf", "bm-node", "bm-client-access", "bm-nginx", "bm-postfix")),
}
"""Services and packages of a platform's other servers, as far as the release has them; every other server
has all of them."""
