// Whatever is sent to the simulator is refused as a provider would, or is a message whose people
// are told of. The first byte chooses between HTTP/1.1, HTTP/2, a talk over SMTP, and a request at
// hand: method and target, a header a line, an empty line, the body.
#include "core/error/failure.hpp"
#include "sim/http/codec.hpp"
#include "sim/http/multipart.hpp"
#include "sim/http/text.hpp"
#include "sim/providers/provider.hpp"
#include "sim/providers/smtp/smtp.hpp"
#include "sim/smtp/conversation.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace fanfare;
using namespace fanfare::sim;

constexpr CheckContext context{.now_s = 1'767'225'600, .number = 1};

const Providers& providers() {
    static const Providers all = make_providers({});
    return all;
}

void try_trouble(const SimulatedProvider& provider, const Checked& checked) {
    using enum Trouble::Kind;
    const Refused one{0, ""};
    for (const auto kind : {refuse, throttle, concurrency, error}) {
        Answer answer;
        if (provider.refuses_singly()) answer = checked.answer;
        Trouble trouble{.kind = kind,
                        .recipient = checked.recipients.front(),
                        .code = "",
                        .now_s = context.now_s,
                        .retry_after_s = 1};
        if (kind == refuse) trouble.refused = {&one, 1};
        provider.refuse(trouble, answer);
        ensure(answer.status >= 200, "a trouble has a status");
    }
}

void try_provider(const Request& request, Answer& answer) {
    for (const auto& provider : providers()) {
        if (!provider->owns(request.path)) continue;
        Checked checked;
        checked.clear();
        provider->check(request, context, checked);
        ensure(checked.answer.status >= 200 && checked.answer.status <= 599, "an answer");
        // SES takes calls of which it refuses each entry.
        if (checked.kind == Checked::Kind::message && !checked.recipients.empty()) {
            std::vector<Delivery> deliveries;
            provider->describe(request, context, checked.recipients, deliveries);
            static_cast<void>(provider->render(request, checked.recipients.front()));
            static_cast<void>(provider->render(request, "nobody@example.com"));
            try_trouble(*provider, checked);
        }
        answer = checked.answer;
        return;
    }
}

/// Answers what arrives; of four exchanges one is given up, and one waits until all was read.
class Answers final : public CodecEvents {
public:
    explicit Answers(bool is_second)
        : codec_{is_second ? make_http2_codec(*this, bounds) : make_http1_codec(*this, bounds)} {}

    void on_request(ExchangeId id, const Request& request) override {
        ensure(request.body.size() <= bounds.body_bytes_max, "a body has its bound");
        if (++requests_ % 4 == 0) return codec_->abandon(id);
        if (requests_ % 4 == 2) return waiting_.push_back(id);
        answer(id, request);
    }
    void on_cancelled(ExchangeId) override {}

    void feed(std::string_view bytes) {
        codec_->feed(bytes);
        while (!waiting_.empty()) {
            const auto id = waiting_.back();
            waiting_.pop_back();
            if (const auto* const request = codec_->request(id)) answer(id, *request);
        }
        std::string out{"before"};
        codec_->flush(out);
        static_cast<void>(codec_->finished() || codec_->full() || codec_->reading());
    }

private:
    static constexpr HttpBounds bounds{.header_bytes_max = 1'024,
                                       .header_fields_max = 8,
                                       .body_bytes_max = 2'048,
                                       .streams_max = 4};
    void answer(ExchangeId id, const Request& request) {
        Answer answer;
        try_provider(request, answer);
        codec_->answer(id, answer);
    }

    std::size_t requests_ = 0;
    std::vector<ExchangeId> waiting_;
    std::unique_ptr<Codec> codec_;
};

void try_mail(std::string_view text) {
    const MailRules rules{.user = "user", .password = "password", .message_bytes_max = 2'048};
    Conversation talk{rules};
    talk.feed(text);
    std::string out;
    for (auto next = talk.step(out); next != Conversation::Next::read; next = talk.step(out)) {
        if (next == Conversation::Next::close) return;
        if (next == Conversation::Next::start_tls) return talk.secured();
        const std::array headers{Field{"mail-from", talk.sender()},
                                 Field{"rcpt-to", talk.recipient()}};
        ensure(!talk.recipient().empty(), "a message is to somebody");
        Answer answer;
        try_provider({.method = "SMTP",
                      .path = smtp_path,
                      .query = {},
                      .headers = headers,
                      .body = talk.message()},
                     answer);
        talk.forget();
    }
}

/// The next line, without its end.
std::string_view take_line(std::string_view& text) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
}

void try_request(std::string_view text) {
    auto target = take_line(text);
    const auto method = target.substr(0, target.find(' '));
    target.remove_prefix(std::min(target.size(), method.size() + 1));
    const auto query = std::min(target.find('?'), target.size());
    std::vector<Field> fields;
    for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
        const auto colon = std::min(line.find(':'), line.size());
        fields.push_back(
            {line.substr(0, colon), trimmed(line.substr(std::min(colon + 1, line.size())))});
    }
    const Request request{.method = method,
                          .path = target.substr(0, query),
                          .query = target.substr(std::min(query + 1, target.size())),
                          .headers = fields,
                          .body = text,
                          .http2 = true};
    Answer answer;
    try_provider(request, answer);
    std::vector<Part> parts;
    const auto boundary = multipart_boundary(request.header("content-type"));
    if (!parse_multipart(text, boundary, parts)) return;
    for (const auto& part : parts) {
        ensure(part.value.size() <= text.size(), "a part is of the body");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    switch (bytes[0] % 4) {
        case 0:
        case 1: {
            Answers answers{bytes[0] % 4 == 1};
            answers.feed(text.substr(0, text.size() / 2));
            answers.feed(text.substr(text.size() / 2));
            break;
        }
        case 2:
            try_mail(text);
            break;
        default:
            try_request(text);
    }
    return 0;
}
