#include "bench_apps/ble_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace labdeck::bench_apps {

namespace {

constexpr std::int64_t walk_period_ns = 250'000'000;
constexpr double walk_reach_db = 15;  ///< The walk stays this near to the level that was set.
constexpr std::array<std::uint8_t, 6> address = {0xC0, 0x1D, 0x5E, 0x45, 0x0A, 0x01};
constexpr std::uint8_t reason_supervision_timeout = 0x08;

}  // namespace

BleMachine::BleMachine(const Settings& settings, MonoTime start)
    : settings_(settings),
      draw_(settings.seed),
      next_advertisement_(start),
      next_walk_{start.ns + walk_period_ns} {}

int BleMachine::rssi_dbm() const noexcept {
    return static_cast<int>(std::lround(std::clamp(rssi_level_ + rssi_offset_, -127.0, 20.0)));
}

std::int64_t BleMachine::notify_period_ns() const noexcept {
    constexpr double longest_ns = 1e15;
    return static_cast<std::int64_t>(std::min(1e9 / settings_.notify_hertz, longest_ns));
}

void BleMachine::send(BleType type, std::uint16_t sequence, Bytes payload) {
    append(output_, encode_ble({type, sequence, std::move(payload)}));
    ++counters_.tx_frames;
}

void BleMachine::receive(ByteView bytes, MonoTime now) {
    deframer_.feed(bytes, {[&](ByteView data) {
                               const auto frame = decode_ble(data);
                               if (frame) {
                                   ++counters_.rx_frames;
                                   handle(*frame, now);
                               } else {
                                   ++counters_.bad_frames;
                               }
                           },
                           [this] { ++counters_.bad_frames; }});
}

void BleMachine::handle(const BleFrame& frame, MonoTime now) {
    if (dropped()) return;
    if (frame.type == BleType::connection && !frame.payload.empty()) {
        if (frame.payload[0] == 0) {
            disconnect(now);
        } else {
            // Out of range is asked for before; a dropped link does not get here.
            (void)connect(now);
        }
    } else if (frame.type == BleType::write) {
        Bytes answer;
        append_le16(answer, frame.sequence);
        answer.push_back(connected_ ? 0 : 1);
        send(BleType::acknowledgement, own_sequence_++, std::move(answer));
        if (connected_) last_write_ = frame.payload;
    } else {
        ++counters_.bad_frames;
    }
}

void BleMachine::set_connected(bool on, MonoTime now) {
    connected_ = on;
    dropped_while_connected_ = false;
    Bytes payload = {static_cast<std::uint8_t>(on), static_cast<std::uint8_t>(rssi_dbm()),
                     static_cast<std::uint8_t>(battery_percent_)};
    append_le16(payload, settings_.boot);
    send(BleType::connection, own_sequence_++, std::move(payload));
    if (on) {
        ++counters_.connections;
        restart_notifications(now);
    } else {
        next_advertisement_ = now;
    }
}

Result<> BleMachine::connect(MonoTime now) {
    if (dropped()) return fail(Code::action_failed, "the link is dropped; connect again when it is back");
    // A host that asks twice is told twice; its first answer may have been lost.
    set_connected(true, now);
    return {};
}

void BleMachine::disconnect(MonoTime now) {
    dropped_while_connected_ = false;
    if (connected_) set_connected(false, now);
}

void BleMachine::restart_notifications(MonoTime now) {
    if (settings_.notify_hertz > 0) next_notification_ = {now.ns + notify_period_ns()};
}

void BleMachine::notify(MonoTime when) {
    const std::uint16_t sequence = notify_sequence_++;
    if (!connected_) {
        ++counters_.lost_in_air;
        return;
    }
    Bytes payload = {static_cast<std::uint8_t>(rssi_dbm()), static_cast<std::uint8_t>(battery_percent_)};
    // A sensor's samples: a slow sine with noise on it, 8 bits each.
    const double seconds = static_cast<double>(when.ns) * 1e-9;
    for (std::size_t i = 0; i < settings_.notify_bytes; ++i) {
        const double phase = seconds + static_cast<double>(i) / static_cast<double>(settings_.notify_bytes);
        const double sample = 128 + 100 * std::sin(std::numbers::pi * phase) + 8 * draw_.next_unit();
        payload.push_back(static_cast<std::uint8_t>(sample));
    }
    send(BleType::notification, sequence, std::move(payload));
    ++counters_.notifications;
}

void BleMachine::walk_rssi() {
    rssi_offset_ += rssi_walk_ * (2 * draw_.next_unit() - 1);
    rssi_offset_ = std::clamp(rssi_offset_, -walk_reach_db, walk_reach_db);
}

void BleMachine::advance(MonoTime now) {
    for (; next_walk_ <= now; next_walk_.ns += walk_period_ns) walk_rssi();
    while (notifying() && next_notification_ <= now) {
        notify(next_notification_);
        next_notification_.ns += notify_period_ns();
    }
    if (dropped() && drop_until_ <= now) {
        drop_until_ = {};
        // Numbers go on counting until a host has the link again.
        next_advertisement_ = now;
    }
    if (!advertising_ || connected_ || dropped() || now < next_advertisement_) return;
    Bytes payload(address.begin(), address.end());
    payload.push_back(static_cast<std::uint8_t>(rssi_dbm()));
    payload.push_back(static_cast<std::uint8_t>(battery_percent_));
    append(payload, as_bytes(settings_.name));
    send(BleType::advertisement, own_sequence_++, std::move(payload));
    ++counters_.advertisements;
    next_advertisement_ = {now.ns + settings_.advertise_interval_ns};
}

MonoTime BleMachine::next_event() const noexcept {
    MonoTime next = next_walk_;
    if (notifying()) next = std::min(next, next_notification_);
    if (dropped()) next = std::min(next, drop_until_);
    if (advertising_ && !connected_ && !dropped()) next = std::min(next, next_advertisement_);
    return next;
}

void BleMachine::advertise(bool on, std::int64_t interval_ns, MonoTime now) {
    advertising_ = on;
    settings_.advertise_interval_ns = interval_ns;
    next_advertisement_ = now;
}

Result<> BleMachine::set_notify(double hertz, std::size_t bytes, MonoTime now) {
    const double hertz_max = notifications_per_second_max(settings_.baud, bytes);
    if (hertz > hertz_max) {
        return fail(Code::bad_arg,
                    fmt::format("{} Hz of {} bytes is more than {} baud carry; the most is {:.1f} Hz", hertz,
                                bytes, settings_.baud, hertz_max),
                    R"({"key":"args.hertz"})");
    }
    settings_.notify_hertz = hertz;
    settings_.notify_bytes = bytes;
    restart_notifications(now);
    return {};
}

void BleMachine::set_rssi(int level_dbm, double walk_db) {
    rssi_level_ = level_dbm;
    rssi_walk_ = walk_db;
    rssi_offset_ = 0;
}

void BleMachine::drop_link(std::int64_t duration_ns, MonoTime now) {
    if (!dropped()) {
        ++counters_.link_losses;
        // The module's own controller tells its host of the loss, as modules behind a port do.
        send(BleType::link_loss, own_sequence_++, {reason_supervision_timeout});
    }
    dropped_while_connected_ = dropped_while_connected_ || connected_;
    connected_ = false;
    drop_until_ = {now.ns + duration_ns};
}

}  // namespace labdeck::bench_apps
