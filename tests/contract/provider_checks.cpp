#include "tests/contract/provider_checks.hpp"

#include "tests/contract/accounts.hpp"
#include "tests/contract/hostile_texts.hpp"

#include <algorithm>
#include <array>

namespace fanfare::testing {
namespace {

/// People with marked values; the first value can be replaced by a hostile one.
struct Crowd {
    Crowd(Channel channel, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            const auto mark = std::to_string(1'000'000 + i);
            ids.push_back("person-" + mark);
            tags.push_back("AAAA" + mark);
            refs.push_back(std::to_string(i) + "." + tags.back());
            switch (channel) {
                case Channel::email:
                    addresses.push_back("user" + mark + "@example.com");
                    break;
                case Channel::sms:
                    addresses.push_back("+1555" + mark);
                    break;
                case Channel::push:
                    addresses.push_back("token" + mark + ":APA91b");
                    break;
            }
            values.push_back({"Name" + mark, "Zone" + mark});
        }
    }

    [[nodiscard]] std::vector<Message> messages() {
        views.clear();
        for (const auto& pair : values) views.push_back({pair[0], pair[1]});
        std::vector<Message> out;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            out.push_back({ids[i], addresses[i], views[i].data(), refs[i]});
        }
        return out;
    }

    std::vector<std::string> ids;
    std::vector<std::string> tags;  // "AAAA1000000"
    std::vector<std::string> refs;  // "0.AAAA1000000"
    std::vector<std::string> addresses;
    std::vector<std::array<std::string, 2>> values;
    std::vector<std::array<std::string_view, 2>> views;
};

/// Each text has one literal before a slot, one between two slots, and one at the end.
Content content_for(Channel channel, const std::string& literal) {
    const auto text = [&literal](Escape escape) {
        return Text{{"Hi ", Slot{0, escape}}, {" [" + literal + "] ", Slot{1, escape}}, {"!", {}}};
    };
    Content content;
    content.channel = channel;
    content.variables = {"name", "zone"};
    content.text = text(Escape::none);
    if (channel != Channel::sms) content.subject = text(Escape::none);
    if (channel == Channel::email) {
        content.html = {{"<p>Hi ", Slot{0, Escape::html}},
                        {" <i>" + literal + "</i> ", Slot{1, Escape::html}},
                        {"</p>", {}}};
    }
    if (channel == Channel::push) content.data = {{"show", literal}, {"from", "reserved"}};
    return content;
}

const SendReference& reference() {
    static const SendReference value{"6f1c2b1e-0000-4000-8000-000000000001", 7, "show.reminder",
                                     "https://hooks.example.com/u/6f1c2b1e.7."};
    return value;
}

/// What persons see of the whole crowd, in requests of at most batch_max, all through one
/// reused HttpRequest. Complaints of the vendor end it.
Reading send(const ProviderCase& its, const Provider& provider, Crowd& crowd,
             const Content& content) {
    const auto messages = crowd.messages();
    Reading all;
    HttpRequest request;
    for (std::size_t at = 0; at < messages.size(); at += provider.batch_max()) {
        const auto count = std::min(provider.batch_max(), messages.size() - at);
        provider.compose({.content = content,
                          .messages = std::span{messages}.subspan(at, count),
                          .reference = reference(),
                          .expires_at_unix = test_now + 900},
                         request);
        auto reading = its.read_request(request);
        all.deliveries.insert(all.deliveries.end(), reading.deliveries.begin(),
                              reading.deliveries.end());
        if (!reading.error.empty()) all.error = reading.error;
    }
    return all;
}

/// What a text amounts to for its reader: no controls, no U+2060, valid UTF-8.
std::string plain(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (text.substr(i, 3) == "\xE2\x81\xA0") {
            i += 2;
        } else if (text.substr(i, 2) == "\r\n") {
            out.push_back(' ');
            ++i;
        } else {
            out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : text[i]);
        }
    }
    // Runs of blanks count as one: CR LF may have become one or two.
    out.erase(
        std::unique(out.begin(), out.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
        out.end());
    return out;
}

std::string unescape_html(std::string text) {
    const std::array<std::pair<std::string, std::string>, 6> entities{{{"&lt;", "<"},
                                                                       {"&gt;", ">"},
                                                                       {"&quot;", "\""},
                                                                       {"&#39;", "'"},
                                                                       {"&#37;", "%"},
                                                                       {"&amp;", "&"}}};
    for (const auto& [entity, meaning] : entities) {
        for (auto at = text.find(entity); at != std::string::npos;
             at = text.find(entity, at + meaning.size())) {
            text.replace(at, entity.size(), meaning);
        }
    }
    return text;
}

/// Complains unless `field` is `before` with `marker` replaced by what `hostile` shows.
void compare_field(const std::string& name, const std::string& before, const std::string& after,
                   const std::string& marker, const std::string& hostile, Complaints& out) {
    const auto at = before.find(marker);
    if (at == std::string::npos) {
        if (before != after) out.push_back(name + " changed: " + after);
        return;
    }
    const auto head = before.substr(0, at);
    const auto tail = before.substr(at + marker.size());
    if (after.size() < head.size() + tail.size() || !after.starts_with(head) ||
        !after.ends_with(tail)) {
        out.push_back(name + " changed around the value: " + after);
        return;
    }
    auto shown = after.substr(head.size(), after.size() - head.size() - tail.size());
    if (name == "html") {
        if (shown.find_first_of("<>\"'") != std::string::npos) {
            out.push_back("html holds unescaped " + shown);
        }
        shown = unescape_html(shown);
    }
    if (plain(shown) != plain(mended(hostile))) out.push_back(name + " shows " + shown);
}

bool same_people(const Reading& reading, const Crowd& crowd) {
    std::vector<std::string> got;
    for (const auto& delivery : reading.deliveries) got.push_back(delivery.address);
    return got == crowd.addresses;
}

}  // namespace

Complaints check_addresses(const ProviderCase& its, const Provider& provider) {
    Complaints out;
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, provider.batch_max()}) {
        Crowd crowd{provider.channel(), size};
        for (const bool has_slots : {true, false}) {
            auto content = content_for(provider.channel(), "soon");
            if (!has_slots) {
                content.variables.clear();
                content.subject = content.html = {};
                content.text = {{"soon", {}}};
            }
            const auto reading = send(its, provider, crowd, content);
            if (!reading.error.empty()) out.push_back(reading.error);
            if (!same_people(reading, crowd)) out.push_back("wrong addresses");
        }
    }
    return out;
}

Complaints check_privacy(const ProviderCase& its, const Provider& provider) {
    Complaints out;
    Crowd crowd{provider.channel(), 12};
    const auto reading = send(its, provider, crowd, content_for(provider.channel(), "soon"));
    if (!same_people(reading, crowd)) return {"wrong addresses: " + reading.error};
    for (std::size_t a = 0; a < crowd.ids.size(); ++a) {
        std::string all;
        for (const auto& [name, value] : reading.deliveries[a].seen) all += value + "\n";
        for (const auto& value : crowd.values[a]) {
            if (all.find(value) == std::string::npos) out.push_back("own value is missing");
        }
        // Push services send no events that could name it.
        if (provider.channel() != Channel::push && all.find(crowd.tags[a]) == std::string::npos) {
            out.push_back("own reference is missing");
        }
        for (std::size_t b = 0; b < crowd.ids.size(); ++b) {
            if (a == b) continue;
            for (const auto& secret : {crowd.ids[b], crowd.tags[b], crowd.addresses[b],
                                       crowd.values[b][0], crowd.values[b][1]}) {
                if (all.find(secret) == std::string::npos) continue;
                out.push_back(crowd.ids[a] + " sees " + secret);
            }
        }
    }
    return out;
}

Complaints check_hostile_values(const ProviderCase& its, const Provider& provider) {
    Complaints out;
    const auto content = content_for(provider.channel(), "soon");
    Crowd crowd{provider.channel(), 3};
    const auto before = send(its, provider, crowd, content);
    const auto marker = crowd.values[1][0];
    for (const auto& hostile : hostile_texts()) {
        crowd.values[1][0] = hostile;
        const auto after = send(its, provider, crowd, content);
        if (!after.error.empty() || !same_people(after, crowd)) {
            out.push_back("refused: " + after.error + " for " + plain(hostile));
            continue;
        }
        for (std::size_t i = 0; i < after.deliveries.size(); ++i) {
            const auto& was = before.deliveries[i].seen;
            const auto& is = after.deliveries[i].seen;
            if (was.size() != is.size()) out.push_back("fields came or went");
            for (const auto& [name, value] : was) {
                const auto found = is.find(name);
                if (found == is.end()) {
                    out.push_back(name + " went");
                } else {
                    compare_field(name, value, found->second, marker, hostile, out);
                }
            }
        }
    }
    return out;
}

Complaints check_hostile_literals(const ProviderCase& its, const Provider& provider) {
    Complaints out;
    Crowd crowd{provider.channel(), 2};
    const auto before = send(its, provider, crowd, content_for(provider.channel(), "MARKER"));
    for (const auto& hostile : hostile_texts()) {
        const auto after = send(its, provider, crowd, content_for(provider.channel(), hostile));
        if (!after.error.empty() || !same_people(after, crowd)) {
            out.push_back("refused: " + after.error + " for " + plain(hostile));
            continue;
        }
        for (std::size_t i = 0; i < after.deliveries.size(); ++i) {
            const auto& was = before.deliveries[i].seen;
            const auto& is = after.deliveries[i].seen;
            if (was.size() != is.size()) out.push_back("fields came or went");
            // HTML literals are markup, escaped by the renderer; here they only must be whole.
            for (const std::string name : {"subject", "text"}) {
                if (!was.contains(name)) continue;
                compare_field(name, was.at(name), is.at(name), "MARKER", hostile, out);
            }
            if (is.contains("html") && is.at("html").find("<<own word>>") != std::string::npos) {
                out.push_back("html took a word of the vendor's");
            }
        }
    }
    return out;
}

Complaints check_residue(const ProviderCase& its, const Provider& provider) {
    Complaints out;
    Crowd many{provider.channel(), provider.batch_max()};
    Crowd one{provider.channel(), 1};
    one.refs = {"9.BBBBBBBBBBB"};
    one.values[0] = {"x", "y"};
    const auto long_content = content_for(provider.channel(), std::string(5000, 'l'));
    const auto short_content = content_for(provider.channel(), "s");
    const auto compose = [&](Crowd& crowd, const Content& content, HttpRequest& request) {
        const auto messages = crowd.messages();
        provider.compose({content, messages, reference(), 0}, request);
    };
    HttpRequest fresh;
    compose(one, short_content, fresh);
    HttpRequest used;
    used.url = "https://elsewhere.example.com";
    used.headers = {"X-Old: 1", "X-Old: 2", "X-Old: 3", "X-Old: 4", "X-Old: 5"};
    used.http2 = !fresh.http2;
    compose(many, long_content, used);
    compose(one, short_content, used);
    if (used.url != fresh.url) out.push_back("url of an earlier request");
    if (used.headers != fresh.headers) out.push_back("headers of an earlier request");
    if (used.body != fresh.body) out.push_back("body of an earlier request");
    if (used.http2 != fresh.http2) out.push_back("http2 of an earlier request");
    if (!its.read_request(used).error.empty()) out.push_back("reused request is refused");
    return out;
}

Complaints check_determinism(const ProviderCase& /*its*/, const Provider& provider) {
    Crowd crowd{provider.channel(), 1};
    const auto content = content_for(provider.channel(), "50%off %recipient.x%");
    const auto messages = crowd.messages();
    HttpRequest first;
    HttpRequest second;
    provider.compose({content, messages, reference(), test_now + 60}, first);
    provider.compose({content, messages, reference(), test_now + 60}, second);
    const bool same = first.url == second.url && first.headers == second.headers &&
                      first.body == second.body && first.http2 == second.http2;
    return same ? Complaints{} : Complaints{"the same batch gave other bytes"};
}

}  // namespace fanfare::testing
