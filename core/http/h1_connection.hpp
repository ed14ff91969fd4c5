#pragma once

#include "core/http/connection.hpp"
#include "core/http/dialer.hpp"
#include "core/http/h1_reader.hpp"
#include "core/http/tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// One connection of HTTP/1.1: dialled, then with TLS where the origin has it, then one request
/// after another, each when the one before it is answered.
///
/// Of a request that comes to no answer it says: not_sent where its last byte was never taken by
/// the kernel and no byte of an answer came; in_doubt otherwise. That is known at once, for it
/// writes by itself and without waiting. A kept connection is looked at before a request goes out:
/// where the server has ended it, or said something unasked, be it part of a record of TLS, the
/// request is another's.
///
/// Bounds    connecting takes 5 s or the exchanges' timeout, if that is shorter; one that was idle
///           for 20 s takes no request any more. Of a request 256 KiB are encrypted at once.
/// Threads   one serial executor.
class H1Connection final : public HttpConnection,
                           public std::enable_shared_from_this<H1Connection> {
public:
    explicit H1Connection(const Parts& parts);

    void begin() override;
    [[nodiscard]] std::vector<OpenExchange*> close(std::string_view fault) override;
    void pump() override;
    void check_time() override;
    void abandon(OpenExchange& exchange, std::string_view fault) override;

    [[nodiscard]] bool is_coming() const noexcept override { return is_useful() && !open_; }
    [[nodiscard]] bool is_useful() const noexcept override { return !closed_ && !leaving_; }
    [[nodiscard]] bool has_room() const override;
    [[nodiscard]] bool has_served() const noexcept override;
    [[nodiscard]] SteadyTime begun_at() const noexcept override { return begun_at_; }
    [[nodiscard]] const std::string& fault() const noexcept override { return fault_; }

private:
    void dialled(boost::asio::ip::tcp::socket* socket, const std::string& fault);
    void read();
    void take(std::string_view bytes);
    void take_plain(std::string_view bytes);
    void take_end(const std::string& fault, bool is_orderly);
    /// The server's last word on the exchange; `stays`: it may have another.
    void finish(bool stays);
    void write_head();
    void write();
    [[nodiscard]] bool fill_sealed();
    void wait_to_write();
    void note_written(std::size_t bytes);
    [[nodiscard]] bool is_readable();
    [[nodiscard]] bool is_stale() const;
    [[nodiscard]] bool is_idle() const;
    [[nodiscard]] bool holds_bytes() const;
    void lose(std::string_view fault);
    /// What is known of the exchange that ends without a complete answer.
    void end_exchange(std::string_view fault);

    Parts parts_;
    std::shared_ptr<Dialer> dialer_;
    std::optional<boost::asio::ip::tcp::socket> socket_;
    std::optional<TlsChannel> tls_;
    H1Reader reader_;
    OpenExchange* exchange_ = nullptr;
    std::string in_;     // Of the network.
    std::string plain_;  // What it says.
    std::string head_;   // Of the request.
    // What of the request has yet to be written, or encrypted where there is TLS: head and body.
    std::array<std::string_view, 2> unwritten_;
    std::string sealed_;  // Encrypted, and how much of it the kernel has.
    std::size_t sealed_written_ = 0;
    SteadyTime begun_at_;
    SteadyTime idle_since_{};
    bool open_ = false;
    bool served_ = false;
    bool heard_ = false;    // A byte of an answer, since the request began.
    bool waiting_ = false;  // For room to write.
    bool leaving_ = false;  // It takes no request any more.
    bool closed_ = false;
    std::string fault_;
};

}  // namespace fanfare
