// merged_rows.h - a cursor over the rows of several sources in the order of their read times.
//
// Nothing is copied and no merged list is kept: a position is one row number a
// source, found by binary search, so that a view over millions of rows costs what it
// shows. Rows of equal time stand in the order of their sources, then of their numbers.
//
// Made anew for each look; valid until the next drain() of any of its tails.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/row_filter.h"
#include "model/source_rows.h"

namespace labdeck::model {

/// Names a row for as long as its source keeps it.
struct RowKey {
    std::int64_t time_ns = 0;
    std::uint32_t lane = 0;  ///< RowLane::id.
    std::uint64_t number = 0;
    friend auto operator<=>(const RowKey&, const RowKey&) = default;
};

struct RowLane {
    std::uint32_t id = 0;
    const SourceRows* rows = nullptr;
    const RowFilter* filter = nullptr;  ///< Null: every row.

    std::uint64_t size() const;
    std::uint64_t number(std::uint64_t index) const;
    std::uint64_t index_of(std::uint64_t number) const;
};

class MergedRows {
public:
    /// REQUIRES: lanes in the order of their ids.
    explicit MergedRows(std::vector<RowLane> lanes);

    const std::vector<RowLane>& lanes() const noexcept { return lanes_; }
    std::uint64_t size() const;

    /// A row that the cursor passed.
    struct Ref {
        std::size_t lane = 0;  ///< Index into lanes().
        RowKey key;
    };

    void seek_begin();
    void seek_end();
    /// To the first row that is not before `key`, which itself need not be there any more.
    void seek(const RowKey& key);
    /// To the row that `index` others stand before.
    void seek_index(std::uint64_t index);
    /// How many rows stand before the cursor.
    std::uint64_t index() const;

    std::optional<Ref> next();
    std::optional<Ref> previous();

private:
    std::uint64_t first_at_or_after(const RowLane& lane, std::int64_t time_ns) const;
    std::uint64_t rows_before(std::int64_t time_ns) const;
    void seek_time(std::int64_t time_ns);
    RowKey key_at(std::size_t lane, std::uint64_t index) const;
    void forget();

    std::vector<RowLane> lanes_;
    std::vector<std::uint64_t> at_;  ///< Index of the next row, for each lane.
    // Times are looked up once for each row that becomes a candidate.
    std::vector<std::optional<RowKey>> ahead_;
    std::vector<std::optional<RowKey>> behind_;
};

}  // namespace labdeck::model
