#!/usr/bin/env python3
"""Plants each fault that tidy.py claims to find, and things that only look like one."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import tidy  # noqa: E402


def laws(path: str, text: str) -> list[str]:
    return [law for law, _, _ in tidy.check(path, text)]


class Finds(unittest.TestCase):
    def test_co_spawn(self):
        text = "asio::co_spawn(context, task(), asio::detached);\n"
        self.assertEqual(laws("worker/send/send.cpp", text), ["co_spawn"])
        for allowed in ("core/async/task_group.cpp", "worker/main.cpp", "tests/unit/a_test.cpp"):
            self.assertEqual(laws(allowed, text), [])

    def test_clock(self):
        text = "auto t = std::chrono::steady_clock::now();\n"
        self.assertEqual(laws("worker/a.cpp", text), ["clock"])
        for allowed in ("core/clock/clock.cpp", "tests/a.cpp", "sim/a.cpp", "bench/a.cpp"):
            self.assertEqual(laws(allowed, text), [])

    def test_sleep(self):
        for text in ("std::this_thread::sleep_for(1s);", "sleep(1);", "::usleep(5);", "::sleep (1);"):
            self.assertEqual(laws("tests/unit/a_test.cpp", text), ["sleep"], text)
        self.assertEqual(laws("tests/support/wait.cpp", "std::this_thread::sleep_for(1ms);"), [])

    def test_subtransaction(self):
        self.assertEqual(laws("core/a.cpp", "pqxx::subtransaction inner{tx};"), ["subtransaction"])

    def test_unverified_server(self):
        text = "curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);"
        self.assertEqual(laws("tests/a.cpp", text), ["verify"])
        self.assertEqual(laws("tests/a.cpp", "set(easy, CURLOPT_SSL_VERIFYHOST,\n    0);"), ["verify"])
        self.assertEqual(laws("core/a.cpp", "set(easy, CURLOPT_SSL_VERIFYPEER, 1L);"), [])

    def test_todo(self):
        self.assertEqual(laws("core/a.cpp", "// TODO later\n"), ["todo"])
        self.assertEqual(laws("core/a.cpp", "// TODO(#12): later\n"), [])

    def test_capturing_coroutine(self):
        for text in (
            "spawn([this]() -> Task { co_await run(); });",
            "spawn([&, x = f(a)](int n) mutable -> Task<void> {\n  co_return;\n});",
            "auto f = [=] { co_yield 1; };",
            "auto f = [x]<typename T>(T t) -> Task { co_return; };",
        ):
            self.assertEqual(laws("tests/a.cpp", text), ["coroutine-capture"], text)

    def test_long_file_and_long_line(self):
        self.assertEqual(laws("core/a.cpp", "\n" * 401), ["lines"])
        self.assertEqual(laws("core/a.cpp", "\n" * 400), [])
        self.assertEqual(laws("core/a.cpp", "x" * 101), ["columns"])
        self.assertEqual(laws("core/a.cpp", "é" * 100), [])

    def test_the_right_line(self):
        found = list(tidy.check("core/a.cpp", '/* a\n b */\n"x"\nsleep(1);\n'))
        self.assertEqual([line for _, line, _ in found], [4])


class LeavesAlone(unittest.TestCase):
    def test_comments_and_strings(self):
        for text in (
            "// co_spawn(context) is for TaskGroup\n",
            "/* steady_clock::now()\n sleep_for(1s) */",
            'log("co_spawn(x)");',
            'auto sql = R"(select sleep(1))";',
            "auto big = 1'000'000; sleeps(big);",
            '#include <boost/asio/co_spawn.hpp>\n',
        ):
            self.assertEqual(laws("core/a.cpp", text), [], text)

    def test_harmless_lambdas(self):
        for text in (
            "spawn([]() -> Task { co_return; });",
            "sort(v, [&](auto a, auto b) { return key(a) < key(b); });",
            "auto f = [this] { group.spawn([](Self* self) -> Task { co_await self->run(); }(this)); };",
            "Task f() { auto x = values[i]; if (x) { co_return; } }",
            "[[nodiscard]] Task f() { co_await g(); }",
            "int a[3] = {1, 2, 3}; Task g() { co_return; }",
        ):
            self.assertEqual(laws("core/a.cpp", text), [], text)


if __name__ == "__main__":
    unittest.main()
