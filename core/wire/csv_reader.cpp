#include "core/wire/csv_reader.hpp"

#include "core/domain/utf8.hpp"
#include "core/wire/csv.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace fanfare {
namespace {

constexpr std::size_t record_bytes_max = 64 * 1024;
constexpr std::size_t block_bytes = 64 * 1024;

void append_utf8(char32_t c, std::string& out) {
    const auto byte = [&out](char32_t value) { out.push_back(static_cast<char>(value)); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xC0 | (c >> 6U));
        byte(0x80 | (c & 0x3FU));
    } else if (c < 0x10000) {
        byte(0xE0 | (c >> 12U));
        byte(0x80 | ((c >> 6U) & 0x3FU));
        byte(0x80 | (c & 0x3FU));
    } else {
        byte(0xF0 | (c >> 18U));
        byte(0x80 | ((c >> 12U) & 0x3FU));
        byte(0x80 | ((c >> 6U) & 0x3FU));
        byte(0x80 | (c & 0x3FU));
    }
}

}  // namespace

bool CsvReader::fail(std::string fault) {
    fault_ = std::move(fault);
    return false;
}

bool CsvReader::next(std::vector<std::string>& fields) {
    if (!begun_) begin();
    while (fault_.empty() && has()) {
        line_ = lines_read_ + 1;
        if (!read_record(fields)) return false;
        for (auto& field : fields) {
            if (field.find('\0') != std::string::npos) {
                return fail("a NUL; is the file UTF-16? Save it as UTF-8");
            }
            if (!is_utf8(field)) return fail("bytes that are not UTF-8; save the file as UTF-8");
            drop_guard(field);
        }
        if (fields.size() > 1 || !fields[0].empty()) return true;
    }
    return false;
}

/// How the file is written, by its first block.
void CsvReader::begin() {
    begun_ = true;
    line_ = 1;
    raw_.resize(block_bytes);
    in_.read(raw_.data(), static_cast<std::streamsize>(raw_.size()));
    raw_.resize(static_cast<std::size_t>(in_.gcount()));
    const auto starts = [this](std::string_view mark) {
        if (!raw_.starts_with(mark)) return false;
        raw_.erase(0, mark.size());
        return true;
    };
    if (raw_.starts_with("PK\x03\x04") || raw_.starts_with("\xD0\xCF\x11\xE0")) {
        std::ignore = fail("a spreadsheet's own format; save it as CSV");
    } else if (starts("\xFF\xFE")) {
        encoding_ = Encoding::utf16_little;
    } else if (starts("\xFE\xFF")) {
        encoding_ = Encoding::utf16_big;
    } else {
        std::ignore = starts("\xEF\xBB\xBF");
    }
    if (encoding_ == Encoding::utf8) {
        ahead_.swap(raw_);
    } else {
        decode_utf16();
    }
    if (!read_named_separator()) find_separator();
}

/// The line "sep=;" that says what stands between fields; it is no record.
bool CsvReader::read_named_separator() {
    const std::string_view read{ahead_};
    const bool quoted = read.starts_with('"');
    const auto word = read.substr(quoted ? 1 : 0, 4);
    if (word != "sep=" && word != "SEP=" && word != "Sep=") return false;
    const auto place = word.size() + (quoted ? 1 : 0);
    const auto end = std::min(read.find_first_of("\r\n", place), read.size());
    if (end != place + (quoted ? 2 : 1)) return false;
    separator_ = read[place];
    at_ = std::min(end + (read.substr(end, 2) == "\r\n" ? 2 : 1), read.size());
    lines_read_ = 1;
    return true;
}

/// The most frequent of the three in the first line that has anything; a comma where it has none.
void CsvReader::find_separator() {
    constexpr std::array<char, 3> candidates{',', ';', '\t'};
    std::array<std::size_t, candidates.size()> counts{};
    bool quoted = false;
    bool any = false;
    for (const char c : ahead_) {
        const bool ends = c == '\n' || c == '\r';
        if (ends && any && !quoted) break;
        any = any || !ends;
        if (c == '"') quoted = !quoted;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (c == candidates[i] && !quoted) ++counts[i];
        }
    }
    const auto most = std::max_element(counts.begin(), counts.end());
    separator_ = candidates[static_cast<std::size_t>(most - counts.begin())];
}

bool CsvReader::fill() {
    ahead_.erase(0, at_);
    at_ = 0;
    const auto before = ahead_.size();
    while (ahead_.size() == before && in_) {
        const auto kept = raw_.size();
        raw_.resize(kept + block_bytes);
        in_.read(raw_.data() + kept, block_bytes);
        raw_.resize(kept + static_cast<std::size_t>(in_.gcount()));
        if (encoding_ == Encoding::utf8) {
            ahead_.append(raw_);
            raw_.clear();
        } else {
            decode_utf16();
        }
    }
    return ahead_.size() > before;
}

bool CsvReader::has(std::string_view bytes) {
    while (ahead_.size() - at_ < bytes.size()) {
        if (!fill()) return false;
    }
    return std::string_view{ahead_}.substr(at_, bytes.size()) == bytes;
}

std::string_view CsvReader::rest_of_line_end(char first) {
    for (const auto end : unicode_line_ends) {
        if (end.front() == first && has(end.substr(1))) return end.substr(1);
    }
    return {};
}

/// All whole characters of `raw_`; half of one waits for the rest of it.
void CsvReader::decode_utf16() {
    const auto unit = [this](std::size_t at) {
        const auto first = static_cast<unsigned char>(raw_[at]);
        const auto second = static_cast<unsigned char>(raw_[at + 1]);
        return encoding_ == Encoding::utf16_big ? char32_t{first} << 8U | second
                                                : char32_t{second} << 8U | first;
    };
    std::size_t at = 0;
    for (; at + 1 < raw_.size(); at += 2) {
        auto c = unit(at);
        if (c >= 0xD800 && c < 0xDC00) {
            if (at + 3 >= raw_.size()) break;
            const auto low = unit(at + 2);
            const bool is_pair = low >= 0xDC00 && low < 0xE000;
            c = is_pair ? 0x10000 + ((c - 0xD800) << 10U) + (low - 0xDC00) : 0xFFFD;
            if (is_pair) at += 2;
        } else if (c >= 0xDC00 && c < 0xE000) {
            c = 0xFFFD;
        }
        append_utf8(c, ahead_);
    }
    raw_.erase(0, at);
}

bool CsvReader::read_record(std::vector<std::string>& fields) {
    fields.assign(1, {});
    bool quoted = false;  // Inside of quotes now.
    bool closed = false;  // The field was in quotes, which have ended.
    std::size_t bytes = 0;
    while (has()) {
        const char c = ahead_[at_++];
        if (++bytes > record_bytes_max) return fail("a record of more than 64 KiB");
        const auto rest = quoted ? std::string_view{} : rest_of_line_end(c);
        at_ += rest.size();
        auto& field = fields.back();
        const bool ends = c == '\n' || c == '\r' || !rest.empty();
        const bool ends_in_two = c == '\r' && has('\n');
        if (ends && !(quoted && ends_in_two)) ++lines_read_;
        if (quoted) {
            if (c != '"') {
                field.push_back(c);
            } else if (has('"')) {
                field.push_back(ahead_[at_++]);
            } else {
                quoted = false;
                closed = true;
            }
        } else if (ends) {
            if (ends_in_two) ++at_;
            return true;
        } else if (c == separator_) {
            fields.emplace_back();
            closed = false;
        } else if (c == '"' && field.empty() && !closed) {
            quoted = true;
        } else if (closed || c == '"') {
            return fail("a quote in the middle of a field; put the field in quotes and double it");
        } else {
            field.push_back(c);
        }
    }
    if (quoted) return fail("a quote that is never closed");
    if (!raw_.empty()) return fail("half a character at the end; is the file whole?");
    return true;
}

}  // namespace fanfare
