#include "core/settings/start_up.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace fanfare {
namespace {

void limit_core(bool to_nothing) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_CORE, &limit) != 0) return;
    limit.rlim_cur = to_nothing ? 0 : limit.rlim_max;
    ::setrlimit(RLIMIT_CORE, &limit);
    // A core that is piped to a handler knows no limit.
    ::prctl(PR_SET_DUMPABLE, to_nothing ? 0 : 1, 0, 0, 0);
}

}  // namespace

void forbid_core_dumps() { limit_core(true); }

void allow_core_dumps() { limit_core(false); }

}  // namespace fanfare
