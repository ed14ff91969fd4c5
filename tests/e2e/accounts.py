"""How each provider's account is configured against the simulator."""

import json
import os
import subprocess

ENVIRONMENT = {
    "E2E_MAILGUN_KEY": "key-0123456789abcdef0123456789abcdef",
    "E2E_MAILGUN_WEBHOOK_KEY": "webhook-key-0123456789abcdef01234567",
    "E2E_TWILIO_TOKEN": "0123456789abcdef0123456789abcdef",
    "E2E_SENDGRID_KEY": "SG.0123456789abcdef0123456789abcdef",
    "E2E_SES_SECRET": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "E2E_VONAGE_SECRET": "0123456789abcdef",
    "E2E_VONAGE_SIGNATURE_SECRET": "0123456789abcdef0123456789abcdef0123",
    "E2E_SMTP_PASSWORD": "0123456789abcdef",
    "E2E_LINK_KEY": "0123456789abcdef0123456789abcdef0123456789abcdef",
}
SENDER = "Fanfare <shows@mg.example.org>"


def _key(run, name, *arguments):
    path = run.dir / name
    subprocess.run(["openssl", "genpkey", *arguments, "-out", path], check=True, capture_output=True)
    return path


def rsa_key():
    """One for all runs of a process and its children: it takes long to find."""
    if "E2E_RSA_KEY" not in os.environ:
        os.environ["E2E_RSA_KEY"] = subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], check=True,
            capture_output=True, text=True).stdout
    return os.environ["E2E_RSA_KEY"]


def _fcm(run, http, tls):
    (run.dir / "account.json").write_text(json.dumps({
        "type": "service_account", "project_id": "demo", "private_key_id": "k1",
        "private_key": rsa_key(), "client_email": "fanfare@demo.iam.gserviceaccount.com",
        "token_uri": f"{tls}/token"}))
    return {"ca_file": str(run.sim.ca), "rate": {"per_second": 0, "concurrency": 100},
            "options": {"base_url": tls, "token_uri": f"{tls}/token"},
            "secrets": {"service_account": {"file": str(run.dir / "account.json")}}}


def _apns(run, http, tls):
    key = _key(run, "apns.p8", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    return {"ca_file": str(run.sim.ca), "rate": {"per_second": 0, "concurrency": 100},
            "options": {"base_url": tls, "key_id": "ABC123DEFG", "team_id": "TEAM123456",
                        "topic": "com.example.fanfare"},
            "secrets": {"private_key": {"file": str(key)}}}


def _smtp(run, http, tls):
    return {"ca_file": str(run.sim.ca), "rate": {"per_second": 0, "concurrency": 8},
            "options": {"host": "localhost", "port": str(run.sim.ports["smtp"]), "from": SENDER,
                        "username": "fanfare"},
            "secrets": {"password": {"env": "E2E_SMTP_PASSWORD"}}}


def _ses(run, http, tls):
    return {"allow_http": True, "ca_file": str(run.sim.ca),
            "options": {"base_url": http, "region": "us-east-1", "access_key_id": "AKIDEXAMPLE",
                        "from": SENDER, "configuration_set": "fanfare",
                        "topic_arn": "arn:aws:sns:us-east-1:123456789012:ses-events"},
            "secrets": {"secret_access_key": {"env": "E2E_SES_SECRET"}}}


def _sendgrid(run, http, tls):
    keys = json.loads(run.sim.call("/control/webhook-keys"))
    return {"allow_http": True,
            "options": {"base_url": http, "from": SENDER,
                        "webhook_public_key": _found(keys, "sendgrid_public_key")},
            "secrets": {"api_key": {"env": "E2E_SENDGRID_KEY"}}}


def _found(tree, name):
    """The value of a key, at whatever depth."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            found = value if key == name else _found(value, name)
            if found is not None:
                return found
    return None


def _mailgun(run, http, tls):
    return {"allow_http": True,
            "options": {"domain": "mg.example.org", "from": SENDER, "base_url": http},
            "secrets": {"api_key": {"env": "E2E_MAILGUN_KEY"},
                        "webhook_signing_key": {"env": "E2E_MAILGUN_WEBHOOK_KEY"}}}


def _twilio(run, http, tls):
    return {"allow_http": True, "rate": {"per_second": 0, "concurrency": 64},
            "options": {"account_sid": "AC00000000000000000000000000000001", "from": "+15005550006",
                        "base_url": http},
            "secrets": {"auth_token": {"env": "E2E_TWILIO_TOKEN"}}}


def _vonage(run, http, tls):
    return {"allow_http": True, "rate": {"per_second": 0, "concurrency": 64},
            "options": {"api_key": "abcd1234", "from": "Fanfare", "base_url": http},
            "secrets": {"api_secret": {"env": "E2E_VONAGE_SECRET"},
                        "signature_secret": {"env": "E2E_VONAGE_SIGNATURE_SECRET"}}}


_MADE = {"mailgun": _mailgun, "sendgrid": _sendgrid, "ses": _ses, "smtp": _smtp, "twilio": _twilio,
         "vonage": _vonage, "fcm": _fcm, "apns": _apns}


def account(run, provider):
    """Settings of an account named e2e-<provider>."""
    http = f"http://127.0.0.1:{run.sim.ports['http']}"
    tls = f"https://localhost:{run.sim.ports['https']}"
    return {"name": f"e2e-{provider}", "type": provider, "timeout_ms": 10000,
            "rate": {"per_second": 0, "concurrency": 8}, **_MADE[provider](run, http, tls)}
