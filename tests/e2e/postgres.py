"""What the tests ask of PostgreSQL, through libpq, which Fanfare needs anyway: a psql for each question of a test that
waits takes more of the machine than what it waits for."""

from ctypes import c_char_p, c_int, c_void_p

import c_library

_, _declare = c_library.load("libpq.so.5")
NAME = "e2e"  # What the server knows these connections by.
_DONE = (1, 2)  # A command that returns nothing, rows.
_OK = 0

_connect = _declare("PQconnectdb", c_void_p, c_char_p)
_status = _declare("PQstatus", c_int, c_void_p)
_error = _declare("PQerrorMessage", c_char_p, c_void_p)
_finish = _declare("PQfinish", None, c_void_p)
_exec = _declare("PQexec", c_void_p, c_void_p, c_char_p)
_result_status = _declare("PQresultStatus", c_int, c_void_p)
_rows = _declare("PQntuples", c_int, c_void_p)
_columns = _declare("PQnfields", c_int, c_void_p)
_is_null = _declare("PQgetisnull", c_int, c_void_p, c_int, c_int)
_value = _declare("PQgetvalue", c_char_p, c_void_p, c_int, c_int)
_clear = _declare("PQclear", None, c_void_p)


class Connections:
    """Connections to one database, as many as ask at the same time, kept for who asks next."""

    def __init__(self, url):
        self.url = url
        self._idle = []

    def rows(self, query):
        """Of one statement, each a list of text, None for NULL."""
        while self._idle:
            connection = self._taken()
            found = connection and self._ask(connection, query)
            if found is not None:
                return found
            if connection and not query.lstrip().upper().startswith("SELECT"):
                raise RuntimeError(f"the connection broke: {query[:400]}")
        with_name = f"{self.url}{'&' if '?' in self.url else '?'}application_name={NAME}"
        connection = _connect(with_name.encode())
        if _status(connection) != _OK:
            text = _error(connection).decode().strip()
            _finish(connection)
            raise RuntimeError(f"PostgreSQL: {text}")
        found = self._ask(connection, query)
        if found is None:
            raise RuntimeError(f"the connection broke: {query[:400]}")
        return found

    def _taken(self):
        try:
            return self._idle.pop()
        except IndexError:  # Another thread was faster.
            return None

    def _ask(self, connection, query):
        """None where the connection is broken: the server went away meanwhile."""
        result = _exec(connection, query.encode())
        try:
            if _status(connection) != _OK:
                _finish(connection)
                return None
            fault = None if _result_status(result) in _DONE else _error(connection).decode().strip()
            self._idle.append(connection)  # From here on it may be another thread's.
            if fault is not None:
                raise RuntimeError(f"PostgreSQL: {fault}\n{query[:400]}")
            return [[None if _is_null(result, row, column) else _value(result, row, column).decode()
                     for column in range(_columns(result))] for row in range(_rows(result))]
        finally:
            _clear(result)
