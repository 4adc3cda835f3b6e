// source_rows.h - one source as numbered rows: its text rows, or a hex dump of it.
//
// Numbers never change while data comes and goes: a text row keeps the Tail's number,
// hex row n shows the source's bytes [16 n, 16 n + 16).
//
// Borrows the Tail, which must outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/tail.h"

namespace labdeck::model {

enum class RowsAs : unsigned char { text, hex };

class SourceRows {
public:
    SourceRows(Tail& tail, RowsAs as) : tail_(&tail), as_(as) {}

    RowsAs as() const noexcept { return as_; }
    Tail& tail() const noexcept { return *tail_; }

    /// Rows [first(), end()) can be looked up.
    std::uint64_t first() const noexcept;
    std::uint64_t end() const noexcept;
    /// Rows below this one will not change any more.
    std::uint64_t settled() const;

    MonoTime time(std::uint64_t number) const;
    /// What the row says, raw; valid until the next text() or drain().
    std::string_view text(std::uint64_t number) const;
    /// Set when something was lost directly before or within the row; valid until the next drain().
    const data::Gap* gap(std::uint64_t number) const;

private:
    Tail* tail_;
    RowsAs as_;
    mutable std::string hex_;
};

}  // namespace labdeck::model
