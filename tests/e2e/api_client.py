"""A backend that calls the HTTP API."""

import json
import urllib.error
import urllib.request

TOKENS = {"shop": "shop-token-0123456789abcdef0123456789abcdef",
          "other": "other-token-0123456789abcdef0123456789abcde",
          "reader": "reader-token-0123456789abcdef0123456789abcd",
          "tenant": "tenant-token-0123456789abcdef0123456789abcd",
          "rival": "rival-token-0123456789abcdef0123456789abcdef",
          "slow": "slow-token-0123456789abcdef0123456789abcdef",
          "abroad": "abroad-token-0123456789abcdef0123456789abcd",
          "admin": "admin-token-0123456789abcdef0123456789abcde"}
ALL = ["publish", "schedule", "read", "cancel", "preview", "export", "templates", "operate", "replay"]


class Backend:
    """One client of the API at `base`."""

    def __init__(self, base, name, token=None):
        self.base, self.token = base, TOKENS.get(name) if token is None else token

    def call(self, method, path, body=None, **headers):
        """(status, document or text, headers); a dict or list is sent as JSON."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        request = urllib.request.Request(self.base + path, data=body, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return self._read(answer.status, answer)
        except urllib.error.HTTPError as fault:
            return self._read(fault.code, fault)

    @staticmethod
    def _read(status, answer):
        text = answer.read().decode()
        kind = answer.headers.get("Content-Type", "")
        return status, json.loads(text) if "json" in kind else text, answer.headers

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.call("POST", path, body, **headers)


def clients():
    """Settings of everyone in TOKENS."""
    def client(name, scopes=ALL, **more):
        return {"name": name, "token": {"env": f"E2E_CLIENT_{name.upper()}"}, "scopes": scopes,
                "per_second": 1000, **more}
    return [client("shop"), client("other"), client("reader", ["read"]),
            client("tenant", owner="tenant-a"), client("rival", owner="tenant-b"),
            client("slow", ["read"], per_second=2),
            client("abroad", systems=["elsewhere"]), client("admin", ["admin"])]


def environment():
    return {f"E2E_CLIENT_{name.upper()}": token for name, token in TOKENS.items()}
