#include "producer/api/csv.hpp"

#include "core/wire/csv.hpp"

namespace fanfare::api {

void append_csv_row(std::initializer_list<std::string_view> fields, std::string& out) {
    bool is_first = true;
    for (const auto field : fields) {
        if (!is_first) out.push_back(',');
        is_first = false;
        append_csv(field, out);
    }
    out.append("\r\n");
}

}  // namespace fanfare::api
