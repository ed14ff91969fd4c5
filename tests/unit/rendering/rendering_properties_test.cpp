// Properties that must hold for any bytes. Seeds are fixed: a failure can be repeated.
#include "core/rendering/compiler.hpp"
#include "core/rendering/date_formatter.hpp"
#include "core/rendering/segments.hpp"
#include "core/rendering/templates.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <kainjow/mustache.hpp>

#include <random>

namespace fanfare {
namespace {

class Chance {
public:
    explicit Chance(std::uint32_t seed) : engine_{seed} {}
    std::size_t below(std::size_t bound) { return engine_() % bound; }
    template <std::size_t N>
    std::string_view one_of(const std::string_view (&choices)[N]) {
        return choices[below(N)];
    }
    std::string bytes(std::size_t length_max) {
        std::string out(below(length_max), '\0');
        for (auto& c : out) c = static_cast<char>(engine_());
        return out;
    }

private:
    std::mt19937 engine_;
};

constexpr std::string_view fragments[]{
    "{{",    "}}",      "{{{",     "}}}",      "{{#a}}", "{{/a}}", "{{^b}}", "{{/b}}",
    "{{a}}", "{{ b }}", "{{&a}}",  "{{=",      "=}}",    "{{>",    "{{!",    "x",
    " ",     "\n",      "<",       ">",        "\"",     "'",      "=",      "<a href=\"",
    "<!--",  "-->",     "<style>", "</style>", "é",      "\xFF",   "\x01",   "#",
    "{",     "}",       "\t",      "{{#",      "{{.}}"};

TEST(AnyTemplate, IsRefusedOrRendersWithoutGettingOutOfItsPlace) {
    Chance chance{20261120};
    std::size_t accepted = 0;
    std::size_t rendered = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string source;
        for (auto left = chance.below(14); left > 0; --left) {
            source +=
                chance.below(20) == 0 ? chance.bytes(6) : std::string{chance.one_of(fragments)};
        }
        const std::vector<TemplateSource> sources{{"k/email.subject.mustache", "s"},
                                                  {"k/email.text.mustache", "t"},
                                                  {"k/email.html.mustache", source}};
        const auto parsed = Templates::parse(sources);
        if (!std::holds_alternative<Templates>(parsed)) continue;
        ++accepted;
        const auto& templates = std::get<Templates>(parsed);
        const std::map<std::string, std::string> harmless{{"a", "https://QQ"}, {"b", "tel:1"}};
        const std::map<std::string, std::string> evil{{"a", "\"'<>&{{a}}\n\x01\xFF"}, {"b", "x>"}};
        const auto first = templates.render("k", Channel::email, "", harmless, {});
        const auto second = templates.render("k", Channel::email, "", evil, {});
        ASSERT_TRUE(first) << source;
        if (!second) continue;  // What is no link begins none: refused, not rendered.
        ++rendered;
        const auto count = [](const Text& text, char wanted) {
            std::string all;
            write_text(text, nullptr, all);
            return std::ranges::count(all, wanted);
        };
        for (const char c : {'<', '>', '"', '\''}) {
            ASSERT_EQ(count(first->html, c), count(second->html, c)) << source;
        }
    }
    EXPECT_GT(accepted, 3'000U) << "the generator must also make valid templates";
    EXPECT_GT(rendered, accepted * 9 / 10) << "and most of them begin no link with a value";
}

TEST(AnyTemplate, RendersLikeTheLibraryItself) {
    // On one line, where the library has no rule of its own about lines.
    constexpr std::string_view pieces[]{
        "{{a}}",        "{{ b }}", "{{c}}",         "{{{a}}}",
        "text ",        "é",       "{{#a}}A{{/a}}", "{{^a}}no A{{/a}}",
        "{{#b}}[{{a}}", "{{/b}}",  "{{^c}}(",       "{{/c}}",
        "{{! note }}",  "}}"};
    Chance chance{7};
    std::size_t compared = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string source;
        for (auto left = chance.below(9); left > 0; --left) source += chance.one_of(pieces);
        std::vector<std::string> names;
        const auto compiled = compile(source, PartForm::text, names);
        kainjow::mustache::mustache library{source};
        ASSERT_EQ(std::holds_alternative<Program>(compiled), library.is_valid()) << source;
        if (!library.is_valid()) continue;
        ++compared;
        library.set_custom_escape([](const std::string& value) { return value; });
        const std::map<std::string, std::string> values{{"a", "one"}, {"b", "{{a}}"}, {"c", ""}};
        kainjow::mustache::data data;
        std::vector<Binding> bindings;
        for (const auto& [name, value] : values) {
            data.set(name, value.empty() ? kainjow::mustache::data{false}
                                         : kainjow::mustache::data{value});
        }
        for (const auto& name : names) {
            bindings.push_back({VariableStanding::shared, &values.find(name)->second, 0});
        }
        Text text;
        ASSERT_FALSE(std::get<Program>(compiled).run(names, bindings, 10'000, text));
        std::string ours;
        write_text(text, nullptr, ours);
        ASSERT_EQ(ours, library.render(data)) << source;
    }
    EXPECT_GT(compared, 2'000U);
}

TEST(AnyValue, StaysOneLineInASubject) {
    const std::vector<TemplateSource> sources{{"k/push.title.mustache", "{{v}}"},
                                              {"k/push.body.mustache", "{{v}}"}};
    const auto templates = std::get<Templates>(Templates::parse(sources));
    Chance chance{99};
    for (int round = 0; round < 50'000; ++round) {
        const std::map<std::string, std::string> shared{{"v", chance.bytes(24)}};
        const auto content = templates.render("k", Channel::push, "", shared, {}).value();
        for (const auto* text : {&content.subject, &content.text}) {
            std::string all;
            write_text(*text, nullptr, all);
            ASSERT_EQ(find_invalid_utf8(all), std::string::npos);
            for (const char c : all) {
                const auto byte = static_cast<unsigned char>(c);
                ASSERT_TRUE((byte >= 0x20 && byte != 0x7f) || (c == '\n' && text == &content.text));
            }
        }
    }
}

TEST(AnyMoment, IsReadBackAsWritten) {
    Chance chance{3};
    for (int round = 0; round < 100'000; ++round) {
        const auto seconds =
            static_cast<std::int64_t>(chance.below(4'000'000'000U)) - 1'000'000'000;
        const auto micros = static_cast<std::int64_t>(chance.below(1'000'000));
        const TimePoint moment{std::chrono::seconds{seconds} + std::chrono::microseconds{micros}};
        const auto text = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                                      fmt::gmtime(static_cast<std::time_t>(seconds)), micros);
        ASSERT_EQ(parse_time_or_utc(text), moment) << text;
        // A changed byte gives another moment or none, and never a crash.
        auto changed = text;
        changed[chance.below(changed.size())] = static_cast<char>(chance.below(256));
        if (parse_time_or_utc(changed) == moment) {
            // Another separator, or a seventh decimal in place of the zone.
            ASSERT_TRUE(changed == text || changed.find_first_of(" t,") != std::string::npos ||
                        changed.back() != 'Z')
                << changed;
        }
    }
}

TEST(AnyBytes, AreHandledByMomentsAndSegments) {
    Chance chance{4};
    DateFormatter dates;
    for (int round = 0; round < 100'000; ++round) {
        const auto bytes = chance.bytes(40);
        static_cast<void>(parse_time_or_utc(bytes));
        const auto segments = count_segments(bytes);
        const auto single = segments.unicode ? 70U : 160U;
        const auto joined = segments.unicode ? 67U : 153U;
        ASSERT_EQ(segments.count <= 1, segments.units <= single);
        ASSERT_LE(segments.units, std::max<std::size_t>(single, segments.count * joined));
        if (round % 50 == 0) {
            const TimePoint moment{std::chrono::seconds{chance.below(4'000'000'000U)}};
            ASSERT_FALSE(dates.format(moment, chance.bytes(20), chance.bytes(20)).empty());
        }
    }
}

}  // namespace
}  // namespace fanfare
