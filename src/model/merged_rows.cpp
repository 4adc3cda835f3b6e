#include "model/merged_rows.h"

#include <algorithm>
#include <utility>

namespace labdeck::model {

std::uint64_t RowLane::size() const {
    return filter != nullptr ? filter->size() : rows->end() - rows->first();
}

std::uint64_t RowLane::number(std::uint64_t index) const {
    return filter != nullptr ? filter->number(index) : rows->first() + index;
}

std::uint64_t RowLane::index_of(std::uint64_t number) const {
    if (filter != nullptr) return filter->index_of(number);
    return std::clamp(number, rows->first(), rows->end()) - rows->first();
}

MergedRows::MergedRows(std::vector<RowLane> lanes)
    : lanes_(std::move(lanes)), at_(lanes_.size()), ahead_(lanes_.size()), behind_(lanes_.size()) {}

std::uint64_t MergedRows::size() const {
    std::uint64_t sum = 0;
    for (const RowLane& lane : lanes_) sum += lane.size();
    return sum;
}

RowKey MergedRows::key_at(std::size_t lane, std::uint64_t index) const {
    const std::uint64_t number = lanes_[lane].number(index);
    return {lanes_[lane].rows->time(number).ns, lanes_[lane].id, number};
}

void MergedRows::forget() {
    std::fill(ahead_.begin(), ahead_.end(), std::nullopt);
    std::fill(behind_.begin(), behind_.end(), std::nullopt);
}

void MergedRows::seek_begin() {
    std::fill(at_.begin(), at_.end(), 0);
    forget();
}

void MergedRows::seek_end() {
    for (std::size_t i = 0; i < lanes_.size(); ++i) at_[i] = lanes_[i].size();
    forget();
}

std::uint64_t MergedRows::first_at_or_after(const RowLane& lane, std::int64_t time_ns) const {
    std::uint64_t low = 0;
    std::uint64_t high = lane.size();
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (lane.rows->time(lane.number(middle)).ns < time_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void MergedRows::seek(const RowKey& key) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        const RowLane& lane = lanes_[i];
        // Lanes before the key's own have their rows of the same time before it, lanes behind have them after
        // it.
        if (lane.id == key.lane) {
            at_[i] = lane.index_of(key.number);
        } else {
            at_[i] = first_at_or_after(lane, key.time_ns + (lane.id < key.lane ? 1 : 0));
        }
    }
    forget();
}

std::uint64_t MergedRows::rows_before(std::int64_t time_ns) const {
    std::uint64_t sum = 0;
    for (const RowLane& lane : lanes_) sum += first_at_or_after(lane, time_ns);
    return sum;
}

void MergedRows::seek_index(std::uint64_t index) {
    if (index >= size()) return seek_end();
    forget();
    if (lanes_.size() == 1) {
        at_[0] = index;
        return;
    }
    std::int64_t low = INT64_MAX;
    std::int64_t high = INT64_MIN;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (lanes_[i].size() == 0) continue;
        low = std::min(low, key_at(i, 0).time_ns);
        high = std::max(high, key_at(i, lanes_[i].size() - 1).time_ns);
    }
    // The latest time that has at most `index` rows before it; the rest lies within that time.
    while (low < high) {
        const std::int64_t middle = low + (high - low + 1) / 2;
        if (rows_before(middle) <= index) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    std::uint64_t rest = index - rows_before(low);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        at_[i] = first_at_or_after(lanes_[i], low);
        const std::uint64_t within = first_at_or_after(lanes_[i], low + 1) - at_[i];
        const std::uint64_t step = std::min(rest, within);
        at_[i] += step;
        rest -= step;
    }
}

std::uint64_t MergedRows::index() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t at : at_) sum += at;
    return sum;
}

std::optional<MergedRows::Ref> MergedRows::next() {
    std::optional<Ref> best;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (at_[i] >= lanes_[i].size()) continue;
        if (!ahead_[i]) ahead_[i] = key_at(i, at_[i]);
        if (!best || *ahead_[i] < best->key) best = Ref{i, *ahead_[i]};
    }
    if (best) {
        ++at_[best->lane];
        behind_[best->lane] = best->key;
        ahead_[best->lane].reset();
    }
    return best;
}

std::optional<MergedRows::Ref> MergedRows::previous() {
    std::optional<Ref> best;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (at_[i] == 0) continue;
        if (!behind_[i]) behind_[i] = key_at(i, at_[i] - 1);
        if (!best || *behind_[i] > best->key) best = Ref{i, *behind_[i]};
    }
    if (best) {
        --at_[best->lane];
        ahead_[best->lane] = best->key;
        behind_[best->lane].reset();
    }
    return best;
}

}  // namespace labdeck::model
