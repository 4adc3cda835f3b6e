#include "hub/source_registry.h"

#include <utility>

namespace labdeck::hub {

namespace {
constexpr std::int64_t drain_period_ns = 5'000'000;
constexpr std::int64_t rate_period_ns = 1'000'000'000;
}  // namespace

SourceRegistry::SourceRegistry(io::Reactor& hub, data::WindowInbox* window) : hub_(hub), window_(window) {}

SourceRegistry::~SourceRegistry() {
    *alive_ = false;
    hub_.cancel(drain_timer_);
}

data::SourceInfo SourceRegistry::reserve(data::SourceKind kind, std::string name, std::string app) {
    return {SourceId{next_id_++}, kind, std::move(name), std::move(app)};
}

SourceRegistry::Feeds SourceRegistry::open(const data::SourceInfo& info, std::size_t retained_bytes,
                                           std::size_t ahead_bytes) {
    const std::size_t feed_blocks = std::max<std::size_t>(2, ahead_bytes / data::Block::bytes_max);
    Feeds out;
    auto own = std::make_shared<data::Feed>(feed_blocks, [this, alive = alive_, awake = awake_] {
        if (awake->exchange(true)) return;
        hub_.post([this, alive] {
            if (*alive) woken();
        });
    });
    out.feeds.push_back(own);

    std::shared_ptr<data::Feed> windows;
    if (window_ != nullptr) {
        windows = std::make_shared<data::Feed>(feed_blocks, [window = window_] { window->wake(); });
        out.feeds.push_back(windows);
    }
    out.announce = [this, alive = alive_, info, own, windows,
                    retained_bytes](std::shared_ptr<const data::SourceCounters> counters) {
        if (windows) window_->put(data::SourceAdded{info, windows, counters, retained_bytes});
        hub_.post([this, alive, info, own, counters, retained_bytes] {
            if (!*alive) return;
            auto source = std::make_unique<Source>();
            source->info = info;
            source->counters = counters;
            source->feed = own;
            source->tail = std::make_shared<model::Tail>(own, retained_bytes);
            sources_[info.id] = std::move(source);
            // Of what it said before, nobody may have told us.
            woken();
        });
    };
    return out;
}

void SourceRegistry::remove(SourceId id) {
    sources_.erase(id);
    if (window_ != nullptr) window_->put(data::SourceRemoved{id});
}

SourceRegistry::Source* SourceRegistry::find(SourceId id) {
    const auto found = sources_.find(id);
    return found == sources_.end() ? nullptr : found->second.get();
}

void SourceRegistry::woken() {
    // The drain asks for the next wake-up only when it runs, so a flood costs one a period, and so do many.
    if (drain_timer_ != 0) return;
    drain_timer_ = hub_.after(drain_period_ns, [this] {
        drain_timer_ = 0;
        awake_->store(false);
        drain();
    });
}

void SourceRegistry::drain() {
    const MonoTime now = mono_now();
    for (const auto& [id, source] : sources_) {
        if (source->feed->news()) source->tail->drain();
        sample(*source, now);
    }
}

void SourceRegistry::sample(Source& source, MonoTime now) {
    const std::int64_t passed = now.ns - source.counted_at.ns;
    if (passed < rate_period_ns) return;
    const std::uint64_t bytes = source.counters->bytes.load(std::memory_order_relaxed);
    const std::uint64_t lines = source.counters->lines.load(std::memory_order_relaxed);
    if (source.counted_at.ns != 0) {
        const double seconds = static_cast<double>(passed) / 1e9;
        source.bytes_per_second = static_cast<double>(bytes - source.counted_bytes) / seconds;
        source.lines_per_second = static_cast<double>(lines - source.counted_lines) / seconds;
    }
    source.counted_bytes = bytes;
    source.counted_lines = lines;
    source.counted_at = now;
}

}  // namespace labdeck::hub
