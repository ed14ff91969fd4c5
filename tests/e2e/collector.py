"""A collector of spans: takes OTLP over HTTP in its JSON encoding, and nothing that is not exactly that."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Field -> what its value must be, by the JSON mapping: ids hexadecimal, 64 bits as text, enumerations as numbers.
_SPAN = {"traceId": re.compile(r"(?!0{32})[0-9a-f]{32}"), "spanId": re.compile(r"(?!0{16})[0-9a-f]{16}"),
         "parentSpanId": re.compile(r"(?!0{16})[0-9a-f]{16}"), "traceState": str, "name": str, "kind": range(1, 6),
         "startTimeUnixNano": re.compile(r"[0-9]{19}"), "endTimeUnixNano": re.compile(r"[0-9]{19}"),
         "attributes": list, "status": dict}
_NEEDED = {"traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status"}


def _only(found, *allowed):
    assert set(found) <= set(allowed), f"unknown fields: {set(found) - set(allowed)}"


def _attributes(entries):
    found = {}
    for entry in entries:
        _only(entry, "key", "value")
        (kind, value), = entry["value"].items()
        assert kind in ("stringValue", "intValue") and isinstance(value, str), entry
        assert entry["key"] not in found, entry
        found[entry["key"]] = int(value) if kind == "intValue" else value
    return found


def _span(found, resource):
    assert _NEEDED <= set(found), f"missing: {_NEEDED - set(found)}"
    _only(found, *_SPAN)
    for name, value in found.items():
        rule = _SPAN[name]
        fits = (rule.fullmatch(value) if isinstance(rule, re.Pattern) else
                type(value) is int and value in rule if isinstance(rule, range) else isinstance(value, rule))
        assert fits, f"{name}: {value}"
    assert int(found["startTimeUnixNano"]) <= int(found["endTimeUnixNano"]), found
    _only(found["status"], "code", "message")
    assert found["status"].get("code", 0) in (0, 1, 2), found
    return {**found, "attributes": _attributes(found["attributes"]), "resource": resource}


def spans_of(body):
    """The spans of an ExportTraceServiceRequest."""
    document, spans = json.loads(body), []
    _only(document, "resourceSpans")
    for group in document["resourceSpans"]:
        _only(group, "resource", "scopeSpans", "schemaUrl")
        _only(group["resource"], "attributes")
        resource = _attributes(group["resource"]["attributes"])
        for scope in group["scopeSpans"]:
            _only(scope, "scope", "spans", "schemaUrl")
            _only(scope["scope"], "name", "version")
            spans += [_span(span, resource) for span in scope["spans"]]
    return spans


class Collector:
    """Listens on loopback; refuses with 400 what it does not understand, and remembers why."""

    def __init__(self):
        self.spans, self.faults, self.lock = [], [], threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.take(self.path, self.headers["Content-Type"], body)
                answer = b"{}"
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, content_type, body):
        with self.lock:
            try:
                assert path == "/v1/traces", path
                assert content_type == "application/json", content_type
                self.spans += spans_of(body)
                return 200
            except (AssertionError, KeyError, TypeError, ValueError) as fault:
                self.faults.append(repr(fault))
                return 400

    def of(self, trace):
        """The spans of a trace, by name."""
        found = {}
        with self.lock:
            for span in self.spans:
                if span["traceId"] == trace:
                    found.setdefault(span["name"], []).append(span)
        return found

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
