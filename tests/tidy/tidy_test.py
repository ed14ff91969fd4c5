#!/usr/bin/env python3
"""Plants each fault that tidy.py claims to find, and things that only look like one."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent.parent))
import tidy  # noqa: E402
import commits  # noqa: E402
import documents  # noqa: E402
import faults  # noqa: E402
import functions  # noqa: E402
import includes  # noqa: E402
import leftovers  # noqa: E402
import names  # noqa: E402


def laws(path: str, text: str) -> list[str]:
    return [law for law, _, _ in tidy.check(path, text)]


class Finds(unittest.TestCase):
    def test_co_spawn(self):
        text = "asio::co_spawn(context, task(), asio::detached);\n"
        self.assertEqual(laws("worker/send/send.cpp", text), ["co_spawn"])
        for allowed in ("core/async/task_group.cpp", "worker/main.cpp", "tests/unit/a_test.cpp"):
            self.assertEqual(laws(allowed, text), [])

    def test_a_test_of_the_fault_matrix_that_is_not_there(self):
        names = {"Pool.Works", *faults.python_names("kill_test", "class Kill(Crash):\n    def test_one(self):\n        pass\n")}
        rest = "".join(f"| {n} | x | `Pool.Works` | |\n" for n in range(4, faults.ROWS + 1))
        self.assertEqual(list(faults.faults("| 1 | x | `kill_test.Kill.test_one`, `Pool.Works` | |\n| 2 | x | | because |\n"
                                            "| 3 | x | `Pool.Works` | |\n" + rest, names)), [])
        found = list(faults.faults("| 1 | x | `kill_test.Kill.test_two` | |\n| 2 | x | | |\n" + rest, names))
        self.assertEqual([line for line, _ in found], [1, 2, 1])
        self.assertIn("kill_test.Kill.test_two", found[0][1])
        self.assertIn("row 3 is missing", found[2][1])

    def test_timer(self):
        text = "asio::steady_timer timer{executor};\n"
        self.assertEqual(laws("worker/send/a.cpp", text), ["timer"])
        self.assertEqual(laws("core/postgres/a.cpp", text), ["timer"])
        self.assertEqual(laws("core/clock/timer.cpp", text), [])

    def test_machine_clock(self):
        text = "const auto now = system_clock().now();\n"
        self.assertEqual(laws("producer/schedule/a.cpp", text), ["machine-clock"])
        self.assertEqual(laws("producer/producer.cpp", text), [])

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

    def test_includes_against_the_layers(self):
        for path, header in (
            ("producer/a.cpp", "worker/send/pacer.hpp"),
            ("cli/a.cpp", "producer/producer.hpp"),
            ("core/kafka/a.cpp", "worker/worker.hpp"),
            ("core/domain/a.hpp", "core/postgres/pool.hpp"),
            ("core/wire/a.cpp", "core/ledger/jobs.hpp"),
            ("core/a_new_folder/a.cpp", "core/domain/vocabulary.hpp"),
        ):
            self.assertEqual(laws(path, f'#pragma once\n  # include "{header}"\n'), ["include"], path)
        for path, header in (
            ("producer/a.cpp", "producer/b.hpp"),
            ("worker/a.cpp", "core/ledger/jobs.hpp"),
            ("core/ledger/a.cpp", "core/wire/b.hpp"),
            ("core/wire/a.cpp", "core/wire/b.hpp"),
            ("tests/unit/a.cpp", "worker/send/pacer.hpp"),
            ("core/wire/descriptor.hpp", "core/ledger/chunks.hpp"),  # On the list.
        ):
            self.assertEqual(laws(path, f'//\n#include "{header}"\n'), [], path)

    def test_long_function(self):
        for head in (
            "void f()", "int Class::f(int a) const noexcept", "template <class T>\nauto f(T t) -> std::vector<T>",
            "Class::Class(int a)\n    : a_{a}, b_(g(a))", "namespace n {\nclass C final : public B {\n  private:\n    int f() override",
            "bool operator==(const A& a, const A& b)", "TEST(A, B)",
        ):
            for lines, found in ((59, []), (60, ["function-lines"])):
                above = head.count("\n") if "namespace" not in head else 0
                body = "{\n" + "    if (a) { b(); }\n" * (lines - 1 - above) + "}"
                self.assertEqual(laws("tests/a.cpp", f"{head} {body}\n"), found, (head, lines))

    def test_header_that_says_nothing(self):
        text = "#pragma once\n\nnamespace a {\nclass Later;\nusing B = int;\n\n{0}void f();\n}\n"
        self.assertEqual(laws("core/a.hpp", text.replace("{0}", "")), ["header"])
        self.assertEqual(laws("core/a.hpp", text.replace("{0}", "/// Does this.\n")), [])
        self.assertEqual(laws("core/a.hpp", "// Does this.\n" + text.replace("{0}", "")), [])

    def test_setting_that_nobody_reads(self):
        row = {"core/settings/table.cpp": "[](auto& s) -> auto& { return s.worker.drain_max; }\n"}
        for reader in ("producer/a.cpp", "tests/a.cpp", "core/settings/b.cpp", "core/a.cpp\0"):
            text = "x.drain_max_of" if reader.endswith("\0") else "x.drain_max"
            found = list(documents.unread_settings({**row, reader.rstrip("\0"): text}))
            self.assertEqual([(where, law) for where, law, _ in found], [("core/settings/table.cpp:1", "setting")], reader)
        for reader in ("worker/a.cpp", "core/kafka/a.cpp"):
            self.assertEqual(list(documents.unread_settings({**row, reader: "settings->drain_max"})), [])

    def test_names_on_a_page_that_are_gone(self):
        texts = {"worker/a.cpp": "void Sender::send(int) {\n    call();\n}\n", "worker/b.hpp": "int count();"}
        for page in ("`worker/a.cpp`: `Sender::send()`, `send()`", "`worker/b.hpp` with\n`count()` and no `count`",
                     "`worker/` holds `a.cpp`: `send()`", "`worker/a.cpp`, `b.hpp`: `count()`"):
            self.assertEqual(list(documents.unknown_names(page, texts)), [], page)
        for page, line in (("`worker/c.cpp`", 1), ("`worker/a.cpp`:\n`sent()`", 2), ("`worker/b.hpp`, `send()`", 1),
                           ("`send()` in `worker/a.cpp`", 1), ("`worker/a.cpp`: `Pacer::send()`", 1),
                           ("`worker/a.cpp`: `call()`", 1), ("`a.cpp`", 1), ("`cli/`: `a.cpp`", 1)):
            self.assertEqual([number for number, _ in documents.unknown_names(page, texts)], [line], page)

    def test_pages_that_only_name_files(self):
        texts = {"worker/a.cpp": ""}
        self.assertEqual(list(documents.unknown_names("`ensure()` in `worker/a.cpp`", texts, False)), [])
        self.assertEqual(len(list(documents.unknown_names("`ensure()` in `worker/b.cpp`", texts, False))), 1)

    def test_types_of_one_name(self):
        shape = "namespace fanfare {\nnamespace api {\nstruct Scope {\n    int a;\n};\n}\n}\n"
        found = list(names.twins({"core/a.hpp": shape, "worker/b.hpp": shape.replace("struct", "enum class")}))
        self.assertEqual([(where, law) for where, law, _ in found], [("worker/b.hpp:3", "twin")])
        self.assertIn("fanfare::api::Scope is another type in core/a.hpp:3", found[0][2])
        derived = shape.replace("struct Scope", "template <class T>\nclass Scope final : public Base")
        self.assertEqual(len(list(names.twins({"core/a.hpp": derived, "worker/b.hpp": shape}))), 1)
        for other in (shape.replace("api", ""), shape.replace("api", "sim"), shape.replace("struct Scope {", "struct Scope;"),
                      shape.replace("Scope", "Other::Scope"), shape.replace("struct Scope", "struct Around {\n    struct Scope")):
            self.assertEqual(list(names.twins({"core/a.hpp": shape, "worker/b.hpp": other})), [], other)
        self.assertEqual(list(names.twins({"core/a.hpp": shape, "tests/b.hpp": shape})), [], "tests are programs of their own")

    def test_subjects(self):
        for subject in ("Send it", "sent", "send:it", "Send: it", "send: " + "x" * 67):
            self.assertTrue(commits.subject_fault(subject), subject)
        for subject in ("send: it", "core/kafka: a topic less", "docs, tests: said so", "send: " + "x" * 66):
            self.assertEqual(commits.subject_fault(subject), "", subject)

    def test_subjects_since_a_base(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
            alone |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

            def git(*words: str) -> str:
                command = ["git", "-C", folder, "-c", "user.name=A", "-c", "user.email=a@localhost", *words]
                return subprocess.run(command, check=True, capture_output=True, text=True, env=alone).stdout.strip()

            with mock.patch.dict(os.environ, alone, clear=True):
                self.assertEqual(list(commits.check(Path(folder))), [], "no history")
                git("init", "-q")
                git("commit", "-q", "--allow-empty", "-m", "Before the law")
                base = git("rev-parse", "HEAD")
                git("commit", "-q", "--allow-empty", "-m", "core: good")
                git("commit", "-q", "--allow-empty", "-m", "Bad")
                self.assertEqual(list(commits.check(Path(folder))), [], "the base is not there")
                with mock.patch.object(commits, "BASE", base):
                    self.assertEqual([law for _, law, _ in commits.check(Path(folder))], ["subject"])

    def test_what_a_tool_has_left(self):
        with mock.patch.object(leftovers.history, "ask", lambda *_: "a.cpp\0a.cpp.orig\0b~\0original\0"):
            self.assertEqual([path for path, _, _ in leftovers.check(Path())], ["a.cpp.orig", "b~"])

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

    def test_what_is_no_function(self):
        code = tidy.code_only(
            'constexpr std::array<int, 2> a{f(1), 2};\nconst Table t = make({\n{1}, {2}});\n'
            'struct A { int b = 1; };\nenum class E { a, b };\nextern "C" {\n}\nnamespace {\n}\n'
            "#define RUN(x) \\\n    { x(); }\nint g(int a = 1, B b = {}) { return 1; }\n")
        self.assertEqual([name for name, _, _ in functions.functions(code)], ["g"])

    def test_every_exception_to_the_layers_is_one(self):
        for folder, header in includes.EXCEPTIONS:
            self.assertFalse(includes.allowed(folder + "/a.cpp", header), (folder, header))

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
