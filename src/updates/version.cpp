#include "updates/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace labdeck::updates {

namespace {

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_identifier_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/// What stands before the next dot; takes that, and the dot, away.
std::string_view take_part(std::string_view& text) {
    const std::string_view part = text.substr(0, text.find('.'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

bool has_leading_zero(std::string_view number) {
    return number.size() > 1 && number.front() == '0';
}

bool is_pre_release(std::string_view text) {
    if (text.empty() || text.back() == '.') return false;
    while (!text.empty()) {
        const std::string_view part = take_part(text);
        if (part.empty() || !std::all_of(part.begin(), part.end(), is_identifier_char)) return false;
        if (all_digits(part) && has_leading_zero(part)) return false;
    }
    return true;
}

std::strong_ordering compare_parts(std::string_view a, std::string_view b) {
    const bool a_number = all_digits(a);
    const bool b_number = all_digits(b);
    if (a_number != b_number) return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
    // Without leading zeros the longer number is the larger one.
    if (a_number && a.size() != b.size()) return a.size() <=> b.size();
    return a.compare(b) <=> 0;
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
    if (text.size() > length_max) return std::nullopt;
    Version version;
    const std::size_t hyphen = text.find('-');
    if (hyphen != std::string_view::npos) {
        version.pre_ = text.substr(hyphen + 1);
        if (!is_pre_release(version.pre_)) return std::nullopt;
        text = text.substr(0, hyphen);
    }
    if (std::count(text.begin(), text.end(), '.') != 2) return std::nullopt;
    for (std::uint32_t& number : version.numbers_) {
        const std::string_view part = take_part(text);
        if (part.empty() || !all_digits(part) || has_leading_zero(part)) return std::nullopt;
        if (std::from_chars(part.data(), part.data() + part.size(), number).ec != std::errc{}) {
            return std::nullopt;
        }
    }
    return version;
}

std::string Version::text() const {
    return fmt::format("{}.{}.{}{}{}", numbers_[0], numbers_[1], numbers_[2], pre_.empty() ? "" : "-", pre_);
}

std::strong_ordering Version::operator<=>(const Version& other) const {
    if (const auto order = numbers_ <=> other.numbers_; order != 0) return order;
    if (pre_.empty() || other.pre_.empty()) return pre_.empty() <=> other.pre_.empty();
    std::string_view a = pre_;
    std::string_view b = other.pre_;
    while (!a.empty() && !b.empty()) {
        if (const auto order = compare_parts(take_part(a), take_part(b)); order != 0) return order;
    }
    return b.empty() <=> a.empty();
}

}  // namespace labdeck::updates
