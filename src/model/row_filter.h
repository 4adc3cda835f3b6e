// row_filter.h - which rows of a source match a pattern, found a little at a time.
//
// scan() looks at rows until a deadline: new ones first, then back towards the oldest.
// The numbers of matching rows are kept as long as the source keeps the rows.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/source_rows.h"

namespace labdeck::model {

enum class PatternKind : unsigned char { words, regex };  ///< words: the text as it stands.
enum class CaseRule : unsigned char { ignore, exact };    ///< ignore folds ASCII letters for words.

/// A compiled pattern. Colour sequences are not seen by it.
class RowMatcher {
public:
    /// Fails on a regular expression that RE2 refuses, with RE2's own words.
    [[nodiscard]] static Result<std::shared_ptr<const RowMatcher>> create(std::string_view pattern,
                                                                          PatternKind kind, CaseRule rule);
    ~RowMatcher();
    RowMatcher(const RowMatcher&) = delete;
    RowMatcher& operator=(const RowMatcher&) = delete;

    bool matches(std::string_view raw) const;

    struct Found {
        std::size_t begin = std::string_view::npos;  ///< npos: none.
        std::size_t end = 0;
    };
    /// The first match at or after `from` in text that is looked at as it is; an empty match counts as none.
    Found find(std::string_view text, std::size_t from) const;

private:
    struct Compiled;
    explicit RowMatcher(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
    mutable std::string scratch_;
};

class RowFilter {
public:
    /// Forgets every match and begins anew at the next scan().
    void set(std::shared_ptr<const RowMatcher> matcher);
    const std::shared_ptr<const RowMatcher>& matcher() const noexcept { return matcher_; }

    /// Looks at rows until `deadline`, at least at a few. Call it before looking at the matches: it also
    /// drops those that are no longer retained. True when every row has been looked at.
    bool scan(const SourceRows& rows, MonoTime deadline);
    /// Share of the retained rows that have been looked at, 0..1.
    double progress(const SourceRows& rows) const;

    std::uint64_t size() const noexcept { return matches_.size() + (open_matches_ ? 1U : 0U); }
    std::uint64_t number(std::uint64_t index) const {
        return index < matches_.size() ? matches_[index] : open_row_;
    }
    /// The first index whose row number is at least `number`.
    std::uint64_t index_of(std::uint64_t number) const;

private:
    void look_at(const SourceRows& rows, std::uint64_t number, bool at_end);
    bool scan_forward(const SourceRows& rows, std::uint64_t settled, MonoTime deadline);
    bool scan_backward(const SourceRows& rows, MonoTime deadline);

    std::shared_ptr<const RowMatcher> matcher_;
    std::deque<std::uint64_t> matches_;
    std::uint64_t from_ = 0;  ///< Rows [from_, to_) have been looked at.
    std::uint64_t to_ = 0;
    bool begun_ = false;
    // The row that is still growing is looked at anew each time.
    bool open_matches_ = false;
    std::uint64_t open_row_ = 0;
};

}  // namespace labdeck::model
