// Loaded before the libraries of PostgreSQL's server and of Kafka's Java (LD_PRELOAD), it makes
// their disk full for as long as the file that FANFARE_FULL_DISK names exists: what would let a
// file grow fails with ENOSPC, what overwrites goes on, as on a real disk. Their logs have room.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

bool is_full() {
    static const char* const file = std::getenv("FANFARE_FULL_DISK");
    if (file == nullptr) return false;
    const int before = errno;
    const bool full = ::access(file, F_OK) == 0;
    errno = before;
    return full;
}

/// True where so many bytes from there on would let the file grow; below nought: from where it is.
bool has_no_room(int descriptor, off_t from, size_t size) {
    if (descriptor <= STDERR_FILENO || size == 0 || !is_full()) return false;
    struct stat found {};
    if (::fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode)) return false;
    if (from < 0) from = ::lseek(descriptor, 0, SEEK_CUR);
    return from + static_cast<off_t>(size) > found.st_size;
}

size_t size_of(const iovec* pieces, int count) {
    size_t size = 0;
    for (int index = 0; index < count; ++index) size += pieces[index].iov_len;
    return size;
}

template <class Call>
Call* real(const char* name) {
    return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

ssize_t refused() {
    errno = ENOSPC;
    return -1;
}

}  // namespace

// What the 64 in a name says is so for all of them on the machines that we build for.
static_assert(sizeof(off_t) == 8);

extern "C" {

ssize_t write(int descriptor, const void* text, size_t size) {
    static auto* const call = real<ssize_t(int, const void*, size_t)>("write");
    return has_no_room(descriptor, -1, size) ? refused() : call(descriptor, text, size);
}

ssize_t writev(int descriptor, const iovec* pieces, int count) {
    static auto* const call = real<ssize_t(int, const iovec*, int)>("writev");
    const size_t size = size_of(pieces, count);
    return has_no_room(descriptor, -1, size) ? refused() : call(descriptor, pieces, count);
}

ssize_t pwrite(int descriptor, const void* text, size_t size, off_t from) {
    static auto* const call = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    return has_no_room(descriptor, from, size) ? refused() : call(descriptor, text, size, from);
}

ssize_t pwrite64(int descriptor, const void* text, size_t size, off_t from) {
    return pwrite(descriptor, text, size, from);
}

ssize_t pwritev(int descriptor, const iovec* pieces, int count, off_t from) {
    static auto* const call = real<ssize_t(int, const iovec*, int, off_t)>("pwritev");
    const size_t size = size_of(pieces, count);
    return has_no_room(descriptor, from, size) ? refused() : call(descriptor, pieces, count, from);
}

ssize_t pwritev64(int descriptor, const iovec* pieces, int count, off_t from) {
    return pwritev(descriptor, pieces, count, from);
}

int posix_fallocate(int descriptor, off_t from, off_t size) {
    static auto* const call = real<int(int, off_t, off_t)>("posix_fallocate");
    if (has_no_room(descriptor, from, static_cast<size_t>(size))) return ENOSPC;
    return call(descriptor, from, size);
}

int posix_fallocate64(int descriptor, off_t from, off_t size) {
    return posix_fallocate(descriptor, from, size);
}
}
