#include "producer/api/csv.hpp"

namespace fanfare::api {

void append_csv_row(std::initializer_list<std::string_view> fields, std::string& out) {
    bool is_first = true;
    for (const auto field : fields) {
        if (!is_first) out.push_back(',');
        is_first = false;
        if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
            out.append(field);
            continue;
        }
        out.push_back('"');
        for (const char c : field) {
            if (c == '"') out.push_back('"');
            out.push_back(c);
        }
        out.push_back('"');
    }
    out.append("\r\n");
}

}  // namespace fanfare::api
