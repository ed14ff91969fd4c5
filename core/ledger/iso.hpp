#pragma once

// Moments as SQL writes them into results: ISO 8601 in UTC, NULL for none, or where it says so "".
#define FANFARE_ISO(column) \
    "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
#define FANFARE_ISO_SECONDS(column) \
    "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#define FANFARE_ISO_OR_NONE(column) "coalesce(" FANFARE_ISO(column) ", '')"
#define FANFARE_ISO_SECONDS_OR_NONE(column) "coalesce(" FANFARE_ISO_SECONDS(column) ", '')"
