-- Whose trace a job is of, and an order that becomes one: traceparent, and behind a space the tracestate.
ALTER TABLE job ADD COLUMN trace text;
ALTER TABLE api_request ADD COLUMN trace text;
