// Loaded before the libraries of a program (LD_PRELOAD), it is the machine that the program runs
// on: its clock shows another time, and it finds no names. The folder that FANFARE_MACHINE names
// holds a file `clock`, how many milliseconds the clock is ahead (8 bytes, as the machine has
// them), and a file `no-names` while it finds none. Both may change at any time; steady clocks go
// on.
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

namespace {

using Milliseconds = std::atomic<std::int64_t>;
static_assert(Milliseconds::is_always_lock_free && sizeof(Milliseconds) == 8);

std::string& folder() {
    static auto* const found = [] {
        const char* const named = std::getenv("FANFARE_MACHINE");
        return new std::string{named == nullptr ? "" : named};
    }();
    return *found;
}

const Milliseconds* map_clock() {
    if (folder().empty()) return nullptr;
    const int descriptor = ::open((folder() + "/clock").c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) std::abort();
    void* const found = ::mmap(nullptr, sizeof(Milliseconds), PROT_READ, MAP_SHARED, descriptor, 0);
    if (found == MAP_FAILED) std::abort();
    ::close(descriptor);
    return static_cast<const Milliseconds*>(found);
}

std::int64_t ahead_ms() {
    static const auto* const clock = map_clock();
    return clock == nullptr ? 0 : clock->load(std::memory_order_relaxed);
}

timespec moved(timespec shown, std::int64_t by_ms) {
    shown.tv_sec += static_cast<time_t>(by_ms / 1000);
    shown.tv_nsec += static_cast<long>(by_ms % 1000) * 1'000'000;
    if (shown.tv_nsec >= 1'000'000'000) ++shown.tv_sec, shown.tv_nsec -= 1'000'000'000;
    if (shown.tv_nsec < 0) --shown.tv_sec, shown.tv_nsec += 1'000'000'000;
    return shown;
}

/// A steady clock began with the machine, not so long ago.
bool is_calendar_time(const timespec& time) { return time.tv_sec > 1'000'000'000; }

bool is_address(const char* name) {
    in6_addr found{};
    return ::inet_pton(AF_INET, name, &found) == 1 || ::inet_pton(AF_INET6, name, &found) == 1;
}

bool finds_names() { return ::access((folder() + "/no-names").c_str(), F_OK) != 0; }

bool is_own(std::string_view name) { return name.ends_with(".test"); }

template <class Call>
Call* real(const char* name) {
    return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
    static auto* const call = real<int(clockid_t, timespec*)>("clock_gettime");
    const int failed = call(clock, time);
    if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        *time = moved(*time, ahead_ms());
    }
    return failed;
}

int timespec_get(timespec* time, int base) noexcept {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, time) == 0 ? base : 0;
}

int gettimeofday(timeval* time, void* /*zone*/) noexcept {
    timespec shown{};
    if (clock_gettime(CLOCK_REALTIME, &shown) != 0) return -1;
    *time = {shown.tv_sec, shown.tv_nsec / 1000};
    return 0;
}

time_t time(time_t* time) noexcept {
    timespec shown{};
    clock_gettime(CLOCK_REALTIME, &shown);
    if (time != nullptr) *time = shown.tv_sec;
    return shown.tv_sec;
}

/// The kernel knows the true clock only.
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
    static auto* const call =
        real<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait");
    const auto truly = is_calendar_time(*until) ? moved(*until, -ahead_ms()) : *until;
    return call(condition, mutex, &truly);
}

int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
    static auto* const call =
        real<int(const char*, const char*, const addrinfo*, addrinfo**)>("getaddrinfo");
    if (name == nullptr || folder().empty() || is_address(name)) {
        return call(name, service, hints, found);
    }
    if (!finds_names()) return EAI_AGAIN;
    return call(is_own(name) ? "127.0.0.1" : name, service, hints, found);
}
}
