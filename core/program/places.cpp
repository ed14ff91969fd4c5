#include "core/program/places.hpp"

#include <system_error>

namespace fanfare {
namespace {

namespace files = std::filesystem;

files::path this_program() {
    std::error_code fault;
    return files::read_symlink("/proc/self/exe", fault);
}

}  // namespace

files::path shared_folder(const files::path& program) {
    auto folder = program.parent_path().parent_path() / "share/fanfare";
    std::error_code fault;
    return files::is_directory(folder / "migrations", fault) ? folder : files::path{};
}

std::string default_settings_file(const files::path& program) {
    if (shared_folder(program).empty()) return "config/fanfare.yaml";
    // What belongs to /usr keeps its settings in /etc, all else below its own prefix.
    auto prefix = program.parent_path().parent_path();
    if (prefix.filename() == "usr") prefix = prefix.parent_path();
    return (prefix / "etc/fanfare/fanfare.yaml").string();
}

files::path shared_folder() { return shared_folder(this_program()); }

std::string default_settings_file() { return default_settings_file(this_program()); }

}  // namespace fanfare
