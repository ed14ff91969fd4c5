#pragma once

#include <memory>

namespace fanfare {

/// Sole owner of an object that a C library hands out and takes back.
///
///     using CurlEasy = Handle<CURL, curl_easy_cleanup>;
///
/// The release function is part of the type, so the handle is as large as the raw
/// pointer. Pass `h.get()` for a look, `h.release()` only where the library takes over.
template <auto Release>
struct Releaser {
    template <class T>
    void operator()(T* object) const noexcept {
        Release(object);
    }
};

template <class T, auto Release>
using Handle = std::unique_ptr<T, Releaser<Release>>;

}  // namespace fanfare
