#pragma once

#include <fmt/format.h>

/// What a library has compiled and yet lets each file that uses it compile again. It is part of the
/// precompiled header; nobody needs it.

// Since version 10 fmt says so itself. Below it stands all that formats a value. Not for clang: it
// gives the function another name than GCC, which has built the library.
#if FMT_VERSION < 100000 && !defined(__clang__)
FMT_BEGIN_NAMESPACE
namespace detail {
extern template void vformat_to<char>(buffer<char>&, basic_string_view<char>,
                                      basic_format_args<buffer_context<char>>, locale_ref);
}  // namespace detail
FMT_END_NAMESPACE
#endif
