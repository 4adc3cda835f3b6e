#include "model/source_rows.h"

#include <algorithm>
#include <array>

#include "model/row_text.h"

namespace labdeck::model {

std::uint64_t SourceRows::first() const noexcept {
    return as_ == RowsAs::text ? tail_->first_row() : tail_->first_byte() / hex_row_bytes;
}

std::uint64_t SourceRows::end() const noexcept {
    if (as_ == RowsAs::text) return tail_->end_row();
    if (tail_->first_byte() == tail_->bytes_total()) return first();
    return (tail_->bytes_total() + hex_row_bytes - 1) / hex_row_bytes;
}

std::uint64_t SourceRows::settled() const {
    const std::uint64_t after = end();
    if (after == first()) return after;
    const bool open =
        as_ == RowsAs::text ? tail_->row(after - 1).open : tail_->bytes_total() % hex_row_bytes != 0;
    return open && !tail_->ended() ? after - 1 : after;
}

MonoTime SourceRows::time(std::uint64_t number) const {
    if (as_ == RowsAs::text) return tail_->row(number).time;
    return tail_->time_at(std::max(number * hex_row_bytes, tail_->first_byte()));
}

std::string_view SourceRows::text(std::uint64_t number) const {
    if (as_ == RowsAs::text) return tail_->row(number).text;
    const std::uint64_t offset = number * hex_row_bytes;
    const std::uint64_t from = std::max(offset, tail_->first_byte());
    const auto missing = static_cast<std::size_t>(from - offset);
    std::array<char, hex_row_bytes> bytes;
    const std::size_t got = tail_->bytes_at(from, hex_row_bytes - missing, bytes.data());
    hex_.clear();
    append_hex_row(offset, missing, {bytes.data(), got}, hex_);
    return hex_;
}

const data::Gap* SourceRows::gap(std::uint64_t number) const {
    if (as_ == RowsAs::text) return tail_->row(number).gap;
    return tail_->gap_within(number * hex_row_bytes, hex_row_bytes);
}

}  // namespace labdeck::model
