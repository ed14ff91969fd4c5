// Loaded before the libraries that programs call (LD_PRELOAD), it kills its program before or after
// a call that a test has armed: a statement, a commit, a record, an offset, a request, an answer.
// The programs are those that are shipped.
//
// The file that FANFARE_CRASH_FILE names is mapped by the test and by all programs of its world. It
// holds how often the point is still to be passed, and which it is. Whoever passes it for the last
// time dies, at once and unasked; so of several programs the one that comes by, and only that one.
#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <nghttp2/nghttp2.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Armed {
    std::atomic<std::int32_t> passings;
    char moment[12];  // "before" or "after"
    char call[16];
    char pattern[224];  // Stands in what the call is about.
};
static_assert(sizeof(Armed) == 256 && std::atomic<std::int32_t>::is_always_lock_free);

Armed* map_armed() {
    const char* const file = std::getenv("FANFARE_CRASH_FILE");
    if (file == nullptr) return nullptr;
    const int descriptor = ::open(file, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) std::abort();
    void* const found =
        ::mmap(nullptr, sizeof(Armed), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (found == MAP_FAILED) std::abort();
    ::close(descriptor);
    return static_cast<Armed*>(found);
}

Armed* armed() {
    static Armed* const mapped = map_armed();
    return mapped;
}

bool is_armed(std::string_view call, std::string_view about) {
    const auto* const point = armed();
    return point != nullptr && point->passings > 0 && point->call == call &&
           about.find(point->pattern) != std::string_view::npos;
}

/// Another thread may come by meanwhile; only the last passing kills.
void pass(std::string_view moment) {
    auto& point = *armed();
    if (point.moment != moment || point.passings.fetch_sub(1) != 1) return;
    ::kill(::getpid(), SIGKILL);
    while (true) ::pause();
}

/// Dies before or after `call`, where it is armed.
template <class Call>
auto around(bool is_here, const Call& call) {
    if (is_here) pass("before");
    const auto result = call();
    if (is_here) pass("after");
    return result;
}

template <class Function>
Function* next(Function*, const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
#define NEXT(function) next(&function, #function)

// Statements.

thread_local bool in_transaction = false;  // The armed statement is in the one that is open.

/// libpqxx 6.4 names the table of a COPY bare, 7.10 in quotes.
std::string without_quotes(std::string text) {
    std::erase(text, '"');
    return text;
}

/// A commit is armed by a statement of its transaction.
template <class Call>
auto around_statement(const std::string& query, const Call& call) {
    const auto text = without_quotes(query);
    if (text.starts_with("BEGIN")) in_transaction = false;
    if (is_armed("commit", text)) in_transaction = true;
    const bool commits = in_transaction && text == "COMMIT" && is_armed("commit", armed()->pattern);
    return around(commits || is_armed("sql", text), call);
}

std::mutex names_mutex;
std::map<std::string, std::string> texts_by_name;  // A name is the hash of a text.

std::string text_of(const std::string& name) {
    const std::lock_guard guard{names_mutex};
    const auto found = texts_by_name.find(name);
    return found == texts_by_name.end() ? std::string{} : found->second;
}

bool begins(std::string_view call, std::string_view bytes, std::string_view with) {
    return bytes.starts_with(with) && is_armed(call, "http");
}

std::string_view first_of(const msghdr& message) {
    if (message.msg_iovlen == 0) return {};
    return {static_cast<const char*>(message.msg_iov[0].iov_base), message.msg_iov[0].iov_len};
}

// Kafka and HTTP/2: whom the library calls back.
using Delivered = void(rd_kafka_t*, const rd_kafka_message_t*, void*);
std::atomic<Delivered*> delivered{nullptr};
std::atomic<nghttp2_on_stream_close_callback> stream_closed{nullptr};

void tell_delivered(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque) {
    around(is_armed("acknowledged", rd_kafka_topic_name(message->rkt)), [&] {
        delivered.load()(client, message, opaque);
        return 0;
    });
}

int tell_stream_closed(nghttp2_session* session, std::int32_t stream, std::uint32_t code,
                       void* data) {
    return around(is_armed("answer", "https"),
                  [&] { return stream_closed.load()(session, stream, code, data); });
}

}  // namespace

extern "C" {

PGresult* PQexec(PGconn* connection, const char* query) {
    static auto* const real = NEXT(PQexec);
    return around_statement(query, [&] { return real(connection, query); });
}

PGresult* PQexecParams(PGconn* connection, const char* query, int count, const Oid* types,
                       const char* const* values, const int* lengths, const int* formats,
                       int result) {
    static auto* const real = NEXT(PQexecParams);
    return around_statement(query, [&] {
        return real(connection, query, count, types, values, lengths, formats, result);
    });
}

PGresult* PQprepare(PGconn* connection, const char* name, const char* query, int count,
                    const Oid* types) {
    static auto* const real = NEXT(PQprepare);
    {
        const std::lock_guard guard{names_mutex};
        texts_by_name[name] = query;
    }
    return real(connection, name, query, count, types);
}

PGresult* PQexecPrepared(PGconn* connection, const char* name, int count, const char* const* values,
                         const int* lengths, const int* formats, int result) {
    static auto* const real = NEXT(PQexecPrepared);
    return around_statement(text_of(name), [&] {
        return real(connection, name, count, values, lengths, formats, result);
    });
}

rd_kafka_resp_err_t rd_kafka_producev(rd_kafka_t* client, ...) {
    std::vector<rd_kafka_vu_t> fields;
    std::string topic;
    va_list arguments;
    va_start(arguments, client);
    while (true) {
        rd_kafka_vu_t field{};
        field.vtype = static_cast<rd_kafka_vtype_t>(va_arg(arguments, int));
        if (field.vtype == RD_KAFKA_VTYPE_END) break;
        if (field.vtype == RD_KAFKA_VTYPE_TOPIC) {
            field.u.cstr = va_arg(arguments, const char*);
            topic = field.u.cstr;
        } else if (field.vtype == RD_KAFKA_VTYPE_KEY || field.vtype == RD_KAFKA_VTYPE_VALUE) {
            field.u.mem.ptr = va_arg(arguments, void*);
            field.u.mem.size = va_arg(arguments, std::size_t);
        } else if (field.vtype == RD_KAFKA_VTYPE_MSGFLAGS) {
            field.u.i = va_arg(arguments, int);
        } else if (field.vtype == RD_KAFKA_VTYPE_HEADERS) {
            field.u.headers = va_arg(arguments, rd_kafka_headers_t*);
        } else if (field.vtype == RD_KAFKA_VTYPE_OPAQUE) {
            field.u.ptr = va_arg(arguments, void*);
        } else {
            std::abort();  // A field that nobody gave when this was written.
        }
        fields.push_back(field);
    }
    va_end(arguments);
    return around(is_armed("publish", topic), [&] {
        auto* const error = rd_kafka_produceva(client, fields.data(), fields.size());
        if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
        const auto code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        return code;
    });
}

void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t* conf, Delivered* callback) {
    static auto* const real = NEXT(rd_kafka_conf_set_dr_msg_cb);
    delivered = callback;
    real(conf, tell_delivered);
}

rd_kafka_resp_err_t rd_kafka_commit(rd_kafka_t* client,
                                    const rd_kafka_topic_partition_list_t* offsets, int async) {
    static auto* const real = NEXT(rd_kafka_commit);
    return around(is_armed("offsets", offsets->elems[0].topic),
                  [&] { return real(client, offsets, async); });
}

rd_kafka_message_t* rd_kafka_consumer_poll(rd_kafka_t* client, int timeout_ms) {
    static auto* const real = NEXT(rd_kafka_consumer_poll);
    auto* const message = real(client, timeout_ms);
    if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
        is_armed("read", rd_kafka_topic_name(message->rkt))) {
        pass("after");
    }
    return message;
}

// HTTP/1.1 in clear, whoever speaks it: a request begins with its method, an answer with the
// version.

ssize_t send(int socket, const void* bytes, std::size_t size, int flags) {
    static auto* const real = NEXT(send);
    return around(begins("request", {static_cast<const char*>(bytes), size}, "POST "),
                  [&] { return real(socket, bytes, size, flags); });
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
    static auto* const real = NEXT(sendmsg);
    return around(begins("request", first_of(*message), "POST "),
                  [&] { return real(socket, message, flags); });
}

ssize_t recv(int socket, void* bytes, std::size_t size, int flags) {
    static auto* const real = NEXT(recv);
    const auto got = real(socket, bytes, size, flags);
    if (got > 0 && (flags & MSG_PEEK) == 0 &&
        begins("answer", {static_cast<char*>(bytes), static_cast<std::size_t>(got)}, "HTTP/1.")) {
        pass("before");
    }
    return got;
}

std::int32_t nghttp2_submit_request(nghttp2_session* session, const nghttp2_priority_spec* priority,
                                    const nghttp2_nv* headers, std::size_t count,
                                    const nghttp2_data_provider* body, void* data) {
    static auto* const real = NEXT(nghttp2_submit_request);
    return around(is_armed("request", "https"),
                  [&] { return real(session, priority, headers, count, body, data); });
}

void nghttp2_session_callbacks_set_on_stream_close_callback(
    nghttp2_session_callbacks* callbacks, nghttp2_on_stream_close_callback callback) {
    static auto* const real = NEXT(nghttp2_session_callbacks_set_on_stream_close_callback);
    stream_closed = callback;
    real(callbacks, tell_stream_closed);
}

}  // extern "C"
