#include "model/row_filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "model/row_text.h"

namespace labdeck::model {

namespace {

constexpr int rows_between_looks_at_the_clock = 64;

char folded(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same_folded(const char* text, std::string_view needle) noexcept {
    for (std::size_t i = 0; i < needle.size(); ++i) {
        if (folded(text[i]) != needle[i]) return false;
    }
    return true;
}

/// Finds a folded needle. Candidates agree with its first and last byte once bit 5 is set in both, which
/// never misses a match; the compare then decides.
std::size_t find_folded(std::string_view text, std::string_view needle, std::size_t from) noexcept {
    if (needle.size() > text.size()) return std::string_view::npos;
    const std::size_t last = needle.size() - 1;
    const std::size_t stop = text.size() - last;
    std::size_t i = from;
#if defined(__SSE2__)
    const __m128i bit = _mm_set1_epi8(0x20);
    const __m128i want_first = _mm_set1_epi8(static_cast<char>(needle.front() | 0x20));
    const __m128i want_last = _mm_set1_epi8(static_cast<char>(needle.back() | 0x20));
    for (; i + 16 <= stop; i += 16) {
        const auto* const at = reinterpret_cast<const __m128i*>(text.data() + i);
        const auto* const at_last = reinterpret_cast<const __m128i*>(text.data() + i + last);
        const __m128i first = _mm_cmpeq_epi8(_mm_or_si128(_mm_loadu_si128(at), bit), want_first);
        const __m128i ends = _mm_cmpeq_epi8(_mm_or_si128(_mm_loadu_si128(at_last), bit), want_last);
        auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(first, ends)));
        for (; mask != 0; mask &= mask - 1) {
            const std::size_t place = i + static_cast<std::size_t>(__builtin_ctz(mask));
            if (same_folded(text.data() + place, needle)) return place;
        }
    }
#endif
    for (; i < stop; ++i) {
        if (same_folded(text.data() + i, needle)) return i;
    }
    return std::string_view::npos;
}

}  // namespace

struct RowMatcher::Compiled {
    std::string words;
    CaseRule rule = CaseRule::ignore;
    std::optional<re2::RE2> regex;
};

RowMatcher::RowMatcher(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
RowMatcher::~RowMatcher() = default;

Result<std::shared_ptr<const RowMatcher>> RowMatcher::create(std::string_view pattern, PatternKind kind,
                                                             CaseRule rule) {
    auto compiled = std::make_unique<Compiled>();
    compiled->rule = rule;
    if (kind == PatternKind::regex) {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_case_sensitive(rule == CaseRule::exact);
        // Rows are bytes; Latin-1 would let "." match half a character, so RE2 skips what is no UTF-8.
        options.set_encoding(re2::RE2::Options::EncodingUTF8);
        compiled->regex.emplace(re2::StringPiece(pattern.data(), pattern.size()), options);
        if (!compiled->regex->ok()) return fail(Code::bad_arg, compiled->regex->error());
    } else {
        compiled->words.assign(pattern);
        if (rule == CaseRule::ignore) {
            std::transform(pattern.begin(), pattern.end(), compiled->words.begin(), folded);
        }
    }
    return std::shared_ptr<const RowMatcher>(new RowMatcher(std::move(compiled)));
}

RowMatcher::Found RowMatcher::find(std::string_view text, std::size_t from) const {
    if (from > text.size()) return {};
    if (compiled_->regex) {
        re2::StringPiece found;
        const re2::StringPiece whole(text.data(), text.size());
        if (!compiled_->regex->Match(whole, from, text.size(), re2::RE2::UNANCHORED, &found, 1)) return {};
        if (found.empty()) return {};
        const auto begin = static_cast<std::size_t>(found.data() - text.data());
        return {begin, begin + found.size()};
    }
    const std::string& words = compiled_->words;
    if (words.empty()) return {};
    const std::size_t begin =
        compiled_->rule == CaseRule::ignore ? find_folded(text, words, from) : text.find(words, from);
    if (begin == std::string_view::npos) return {};
    return {begin, begin + words.size()};
}

bool RowMatcher::matches(std::string_view raw) const {
    const std::string_view text = without_colours(raw, scratch_);
    if (compiled_->regex) {
        return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_->regex);
    }
    if (compiled_->words.empty()) return true;
    return find(text, 0).begin != std::string_view::npos;
}

void RowFilter::set(std::shared_ptr<const RowMatcher> matcher) {
    matcher_ = std::move(matcher);
    matches_.clear();
    begun_ = false;
    open_matches_ = false;
}

void RowFilter::look_at(const SourceRows& rows, std::uint64_t number, bool at_end) {
    if (!matcher_->matches(rows.text(number))) return;
    if (at_end) {
        matches_.push_back(number);
    } else {
        matches_.push_front(number);
    }
}

bool RowFilter::scan_forward(const SourceRows& rows, std::uint64_t settled, MonoTime deadline) {
    while (to_ < settled) {
        for (int i = 0; i < rows_between_looks_at_the_clock && to_ < settled; ++i) look_at(rows, to_++, true);
        if (mono_now() >= deadline) break;
    }
    return to_ >= settled;
}

bool RowFilter::scan_backward(const SourceRows& rows, MonoTime deadline) {
    const std::uint64_t first = rows.first();
    while (from_ > first) {
        for (int i = 0; i < rows_between_looks_at_the_clock && from_ > first; ++i)
            look_at(rows, --from_, false);
        if (mono_now() >= deadline) break;
    }
    return from_ <= first;
}

bool RowFilter::scan(const SourceRows& rows, MonoTime deadline) {
    open_matches_ = false;
    if (!matcher_) return true;
    const std::uint64_t first = rows.first();
    const std::uint64_t settled = std::max(rows.settled(), first);
    if (!begun_) {
        begun_ = true;
        from_ = to_ = settled;
    }
    while (!matches_.empty() && matches_.front() < first) matches_.pop_front();
    from_ = std::max(from_, first);
    to_ = std::max(to_, first);
    // Under a flood the way back still gets its quarter of the time.
    const std::int64_t now_ns = mono_now().ns;
    const MonoTime forward_deadline{now_ns + (deadline.ns - now_ns) / 4 * 3};
    const bool at_end = scan_forward(rows, settled, from_ > first ? forward_deadline : deadline);
    const bool at_begin = scan_backward(rows, deadline);
    if (at_end && settled < rows.end()) {
        open_row_ = settled;
        open_matches_ = matcher_->matches(rows.text(settled));
    }
    return at_end && at_begin;
}

double RowFilter::progress(const SourceRows& rows) const {
    const std::uint64_t all = rows.end() - rows.first();
    if (!matcher_ || all == 0) return 1;
    if (!begun_) return 0;
    return std::min(1.0, static_cast<double>(to_ - from_ + 1) / static_cast<double>(all));
}

std::uint64_t RowFilter::index_of(std::uint64_t number) const {
    const auto found = std::lower_bound(matches_.begin(), matches_.end(), number);
    if (found == matches_.end() && open_matches_ && open_row_ < number) return size();
    return static_cast<std::uint64_t>(found - matches_.begin());
}

}  // namespace labdeck::model
