#pragma once

#include "core/rendering/templates.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <variant>

namespace fanfare {

/// A folder that is gone after the test.
class Folder {
public:
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "fanfare-templates-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    void write(const std::string& path, std::string_view text) const {
        std::filesystem::create_directories((path_ / path).parent_path());
        std::ofstream{path_ / path, std::ios::binary} << text;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// "file:line key value: expected", one a line.
inline std::string problems_of(const std::variant<Templates, Problems>& result) {
    std::string out;
    if (const auto* problems = std::get_if<Problems>(&result)) {
        for (const auto& problem : *problems) {
            out += std::filesystem::path{problem.file}.filename().string() + ":" +
                   std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " +
                   problem.key + " " + problem.value + ": " + problem.expected + "\n";
        }
    }
    return out;
}

}  // namespace fanfare
