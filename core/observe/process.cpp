// What a program takes of its machine, by the names that Prometheus' own libraries use.
#include "core/observe/families.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace fanfare {
namespace {

/// Of /proc/self/stat, behind the name, which may hold anything: from the third field on.
struct Stat {
    double start_ticks = 0;
    double virtual_bytes = 0;
    double resident_pages = 0;
    double threads = 0;
};

Stat read_stat() {
    std::ifstream stream{"/proc/self/stat"};
    std::string line;
    std::getline(stream, line);
    std::istringstream fields{line.substr(line.rfind(')') + 1)};
    Stat stat;
    std::string skipped;
    constexpr int threads = 20;
    constexpr int start = 22;
    constexpr int memory = 23;
    constexpr int pages = 24;
    for (int number = 3; number <= pages; ++number) {
        switch (number) {
            case threads:
                fields >> stat.threads;
                break;
            case start:
                fields >> stat.start_ticks;
                break;
            case memory:
                fields >> stat.virtual_bytes;
                break;
            case pages:
                fields >> stat.resident_pages;
                break;
            default:
                fields >> skipped;
        }
    }
    return stat;
}

double boot_time() {
    std::ifstream stream{"/proc/stat"};
    std::string word;
    while (stream >> word) {
        double seconds = 0;
        if (word == "btime" && stream >> seconds) return seconds;
    }
    return 0;
}

double open_files() {
    std::error_code gone;
    double count = 0;
    for (auto it = std::filesystem::directory_iterator{"/proc/self/fd", gone};
         !gone && it != std::filesystem::directory_iterator{}; it.increment(gone)) {
        ++count;
    }
    return count;
}

double to_seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void append_one(Families& families, prometheus::MetricFamily family, double value) {
    add_series(family, {}, value);
    families.push_back(std::move(family));
}

}  // namespace

void append_process(Families& families, const std::string& program, const std::string& version) {
    auto build =
        gauge_family("fanfare_build_info", "1; which program this is, and of which commit");
    const auto space = version.find(' ');
    const auto commit = space == std::string::npos
                            ? std::string{}
                            : version.substr(space + 2, version.size() - space - 3);
    add_series(build,
               {{"program", program}, {"version", version.substr(0, space)}, {"commit", commit}},
               1);
    families.push_back(std::move(build));

    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    const auto stat = read_stat();
    static const double booted = boot_time();
    append_one(families, counter_family("process_cpu_seconds_total", "CPU time, user and system"),
               to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime));
    append_one(families, gauge_family("process_resident_memory_bytes", "Memory that is resident"),
               stat.resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
    append_one(families, gauge_family("process_virtual_memory_bytes", "Memory that is mapped"),
               stat.virtual_bytes);
    append_one(families, gauge_family("process_open_fds", "File descriptors that are open"),
               open_files());
    append_one(families, gauge_family("process_max_fds", "File descriptors that may be open"),
               static_cast<double>(files.rlim_cur));
    append_one(families, gauge_family("process_threads", "Threads"), stat.threads);
    append_one(families,
               gauge_family("process_start_time_seconds", "When the program started, Unix time"),
               booted + stat.start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

}  // namespace fanfare
