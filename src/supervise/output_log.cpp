#include "supervise/output_log.h"

#include <array>
#include <utility>

#include "base/utf8.h"

namespace labdeck::supervise {

namespace {
constexpr std::int64_t quiet_ns = 500'000'000;
constexpr std::int64_t round_ns = 20'000'000;
// A fifth of what a feed of 64 Blocks takes in that time.
constexpr std::uint64_t flood_bytes_a_round = 800'000;
}  // namespace

std::string whole_utf8(std::string& cut, std::string_view bytes) {
    const std::string text = std::exchange(cut, {}).append(bytes);
    std::string whole;
    whole.reserve(text.size());
    for (std::string_view rest = text; !rest.empty();) {
        const Utf8Head head = utf8_head(rest);
        if (head.kind == Utf8Head::Kind::whole) whole += rest.substr(0, head.bytes);
        if (head.kind == Utf8Head::Kind::begun) cut = rest;
        if (head.kind == Utf8Head::Kind::foreign) whole += utf8_replacement;
        rest.remove_prefix(head.bytes);
    }
    return whole;
}

void LogRounds::join(std::weak_ptr<OutputLog> log) {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(std::move(log));
    if (waiting_.size() > 1) return;
    poster_.post([self = shared_from_this()] { self->store_.after(round_ns, [self] { self->run(); }); });
}

void LogRounds::run() {
    std::vector<std::weak_ptr<OutputLog>> ready;
    {
        const std::scoped_lock lock(mutex_);
        ready.swap(waiting_);
    }
    for (const auto& each : ready) {
        if (const auto log = each.lock()) log->drain();
    }
}

OutputLog::OutputLog(io::Reactor& store, std::shared_ptr<LogRounds> rounds,
                     std::shared_ptr<store::RotatingLog> log, OnText on_text)
    : poster_(store.poster()),
      rounds_(std::move(rounds)),
      log_(std::move(log)),
      on_text_(std::move(on_text)) {}

std::shared_ptr<OutputLog> OutputLog::make(io::Reactor& store, std::shared_ptr<LogRounds> rounds,
                                           std::size_t blocks_max, std::shared_ptr<store::RotatingLog> log,
                                           OnText on_text) {
    const std::shared_ptr<OutputLog> made(
        new OutputLog(store, std::move(rounds), std::move(log), std::move(on_text)));
    made->feed_ = std::make_shared<data::Feed>(blocks_max, [weak = std::weak_ptr<OutputLog>(made)] {
        if (const auto self = weak.lock()) self->woken();
    });
    return made;
}

// On the source's I/O thread.
void OutputLog::woken() {
    flood_.load(std::memory_order_relaxed) ? drain_soon() : rounds_->join(weak_from_this());
}

void OutputLog::drain_soon() {
    poster_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->drain();
    });
}

void OutputLog::feel_flood() {
    const MonoTime now = mono_now();
    if (now.ns - felt_at_.ns < round_ns) return;
    flood_.store(shown_ - felt_shown_ > flood_bytes_a_round, std::memory_order_relaxed);
    felt_at_ = now;
    felt_shown_ = shown_;
}

void OutputLog::taken(std::size_t bytes) {
    const std::size_t before = text_bytes_.fetch_sub(bytes);
    if (before >= text_bytes_max && before - bytes < text_bytes_max) drain_soon();
}

void OutputLog::drain() {
    feel_flood();
    feed_->rest();
    while (text_bytes_.load() < text_bytes_max && show_newest()) {
        std::array<data::BlockRef, 1> next;
        if (feed_->take(next) == 0) return;
        newest_ = std::move(next[0]);
        seen_ = 0;
    }
}

// False when the Block still grows, so that it is too early for the next one.
bool OutputLog::show_newest() {
    if (!newest_) return true;
    const data::Block::Published published = newest_->published();
    if (published.bytes > seen_) show(newest_->view(seen_, published.bytes));
    seen_ = published.bytes;
    if (!published.sealed) return false;
    newest_ = {};
    return true;
}

void OutputLog::show(std::string_view bytes) {
    shown_ += bytes.size();
    if (log_) log_->append(bytes);
    if (wanted_.load(std::memory_order_relaxed)) {
        hand_on(whole_utf8(cut_, bytes));
    } else {
        cut_.clear();
    }
}

void OutputLog::hand_on(std::string text) {
    if (text.empty()) return;
    text_bytes_.fetch_add(text.size());
    on_text_(weak_from_this(), std::move(text));
}

void OutputLog::run_ended(io::Reactor& store) {
    store.after(quiet_ns, [weak = weak_from_this(), &store, shown = shown_] {
        const auto self = weak.lock();
        if (!self) return;
        if (self->shown_ != shown) return self->run_ended(store);
        if (!std::exchange(self->cut_, {}).empty()) self->hand_on(std::string(utf8_replacement));
    });
}

}  // namespace labdeck::supervise
