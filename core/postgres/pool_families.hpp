#pragma once

#include "core/observe/families.hpp"
#include "core/postgres/pool.hpp"

#include <vector>

namespace fanfare::postgres {

/// What pools do just now, as metrics (docs/metrics.md). Nobody is asked.
void append_pools(Families& families, const std::vector<NamedPool>& pools);

}  // namespace fanfare::postgres
