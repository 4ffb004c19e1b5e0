"""Whether Keycloak takes the secret with which BlueMind asks it at each login by OpenID. It runs on the server.

BlueMind changes the code that a browser brings for a token, with its client's secret (RFC 6749, 4.1.3). A code that
was never given out is refused as such where the secret is right, and the client is where it is not (5.2).
"""

import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, List

DOMAINS = "http://127.0.0.1:8090/api/domains"
TOKEN = "/etc/bm/bm-core.tok"
ACCEPTED = "invalid_grant"
TAKEN = "its secret is taken"


def domains() -> List[Dict[str, Any]]:
    with open(TOKEN) as file:
        key = file.read().strip()
    request = urllib.request.Request(DOMAINS, headers={"X-BM-ApiKey": key})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.loads(answer.read().decode())  # type: List[Dict[str, Any]]
    return found


def asked(properties: Dict[str, str]) -> str:
    """The error that Keycloak answers with."""
    form = {
        "grant_type": "authorization_code",
        "code": "bmnb",
        "redirect_uri": "https://localhost/auth/openid",
        "client_id": properties["OPENID_CLIENT_ID"],
        "client_secret": properties["OPENID_CLIENT_SECRET"],
    }
    # its certificate is this server's own, and need not be one that this server trusts
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    data = urllib.parse.urlencode(form).encode()
    try:
        urllib.request.urlopen(properties["OPENID_TOKEN_ENDPOINT"], data, 30, context=context)
    except urllib.error.HTTPError as error:
        try:
            return str(json.loads(error.read().decode())["error"])
        except (ValueError, KeyError):
            return "status {}".format(error.code)
    except OSError as error:
        return str(error)
    return "a token"


def main() -> None:
    """Print a line for each domain with a client of its own; one whose identities others give is theirs to try."""
    wrong = 0
    for domain in domains():
        properties = domain["value"].get("properties") or {}
        if properties.get("AUTH_TYPE") == "OPENID" or not properties.get("OPENID_CLIENT_SECRET"):
            continue
        said = asked(properties)
        wrong += said != ACCEPTED
        print(domain["uid"], TAKEN if said == ACCEPTED else said)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
