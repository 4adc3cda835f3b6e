#include "bench_apps/bridge_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace labdeck::bench_apps {

namespace {

constexpr std::array<std::string_view, 4> ble_link_names = {"down", "scanning", "connecting", "connected"};
static_assert(static_cast<std::size_t>(BleLink::connected) + 1 == ble_link_names.size());

constexpr std::int64_t doubt_ns = 1'000'000'000;
constexpr std::int64_t connect_timeout_ns = 1'000'000'000;
constexpr std::int64_t acknowledge_timeout_ns = 2'000'000'000;
/// A notification that seems so far ahead is one from behind.
constexpr unsigned gap_max = 0x8000;

constexpr std::array<std::string_view, 5> trip_end_names = {"answered", "exception", "damaged", "timed-out",
                                                            "port-gone"};
static_assert(static_cast<std::size_t>(TripEnd::port_gone) + 1 == trip_end_names.size());
/// Trips ask for 1 to 8 registers in turn, polls for all: a late answer has the wrong length for what is
/// asked now, for longer than doubt_ns.
constexpr unsigned trip_registers_max = 8;
static_assert(trip_registers_max < PlcMachine::input_count);

using Counters = BridgeMachine::Counters;
constexpr std::array counter_fields = {&Counters::requests,
                                       &Counters::answers,
                                       &Counters::exceptions,
                                       &Counters::timeouts,
                                       &Counters::retries,
                                       &Counters::crc_errors,
                                       &Counters::stray_frames,
                                       &Counters::failed_polls,
                                       &Counters::records,
                                       &Counters::advertisements,
                                       &Counters::notifications,
                                       &Counters::notifications_lost,
                                       &Counters::notification_bytes,
                                       &Counters::ble_bad_frames,
                                       &Counters::link_losses,
                                       &Counters::links,
                                       &Counters::writes,
                                       &Counters::acknowledgements,
                                       &Counters::radio_reports,
                                       &Counters::plc_bytes,
                                       &Counters::ble_bytes,
                                       &Counters::plc_losses,
                                       &Counters::ble_losses};
static_assert(sizeof(Counters) == counter_fields.size() * sizeof(std::uint64_t));

}  // namespace

BridgeMachine::Counters BridgeMachine::Counters::since(const Counters& before) const noexcept {
    Counters difference;
    for (const auto field : counter_fields) difference.*field = this->*field - before.*field;
    return difference;
}

std::string_view trip_end_name(TripEnd end) noexcept {
    return trip_end_names[static_cast<std::size_t>(end)];
}

std::string_view ble_link_name(BleLink link) noexcept {
    return ble_link_names[static_cast<std::size_t>(link)];
}

BridgeMachine::BridgeMachine(const Settings& settings, MonoTime start)
    : settings_(settings), next_poll_(start), keep_linked_(settings.keep_linked) {}

void BridgeMachine::plc_port(bool open, MonoTime now) {
    if (plc_open_ && !open) ++totals_.plc_losses;
    plc_open_ = open;
    waiting_ = false;
    if (!open) {
        while (!trips_.empty()) end_trip(TripEnd::port_gone, -1);
    }
    answers_.reset();
    plc_output_.clear();
    next_poll_ = now;
}

void BridgeMachine::ble_port(bool open, MonoTime) {
    if (link_ != BleLink::down && !open) ++totals_.ble_losses;
    ble_deframer_.reset();
    ble_output_.clear();
    set_link(open ? BleLink::scanning : BleLink::down, open ? "port open" : "port lost");
}

void BridgeMachine::ask(Step step, int attempt, MonoTime now) {
    step_ = step;
    attempt_ = attempt;
    asked_ = now;
    waiting_ = true;
    ++totals_.requests;
    polled_last_ = step != Step::trip;
    if (step == Step::trip) trip_registers_ = trip_registers_ % trip_registers_max + 1;
    const auto function =
        step == Step::coils ? ModbusFunction::read_coils : ModbusFunction::read_input_registers;
    const std::size_t count = step == Step::inputs  ? PlcMachine::input_count
                              : step == Step::coils ? PlcMachine::coil_count
                                                    : trip_registers_;
    append(plc_output_, rtu_request(settings_.unit, function, 0, static_cast<std::uint16_t>(count)));
}

Result<> BridgeMachine::ask_trip(std::uint64_t id, MonoTime now) {
    if (trips_.size() >= trips_max) {
        return fail(Code::queue_full, fmt::format("{} round trips are waiting already", trips_max));
    }
    trips_.push_back(id);
    if (!plc_open_) {
        end_trip(TripEnd::port_gone, -1);
    } else if (!waiting_) {
        begin_next(now);
    }
    return {};
}

void BridgeMachine::end_trip(TripEnd end, std::int64_t round_trip_ns) {
    trip_results_.push_back({trips_.front(), end, round_trip_ns});
    trips_.pop_front();
}

/// The line is free: a poll that is due, or a trip; in turns where both wait.
void BridgeMachine::begin_next(MonoTime now) {
    const bool poll_due = next_poll_ <= now;
    if (!trips_.empty() && (!poll_due || polled_last_)) {
        ask(Step::trip, 0, now);
    } else if (poll_due) {
        ask(Step::inputs, 0, now);
        // Slots that were missed are not made up for.
        next_poll_.ns += settings_.poll_ns;
        if (next_poll_ <= now) next_poll_ = {now.ns + settings_.poll_ns};
    }
}

void BridgeMachine::plc_received(ByteView bytes, MonoTime now) {
    totals_.plc_bytes += bytes.size();
    bool damaged = false;
    answers_.feed(bytes, {[&](ByteView adu) { handle_answer(adu, now); }, [&](ByteView) { damaged = true; }});
    if (!damaged) return;
    ++totals_.crc_errors;
    answers_.reset();
    if (waiting_) attempt_failed(TripEnd::damaged, now);
}

void BridgeMachine::handle_answer(ByteView adu, MonoTime now) {
    const RtuFrame frame = *decode_rtu(adu);
    const auto asked =
        step_ == Step::coils ? ModbusFunction::read_coils : ModbusFunction::read_input_registers;
    const auto function = static_cast<std::uint8_t>(asked);
    if (!waiting_ || frame.unit != settings_.unit || (frame.function & ~exception_bit) != function) {
        ++totals_.stray_frames;
        return;
    }
    ++totals_.answers;
    if (frame.function != function) {
        ++totals_.exceptions;
        attempt_failed(TripEnd::exception, now);
        return;
    }
    if (!take_values(frame)) {
        ++totals_.stray_frames;
        return;
    }
    waiting_ = false;
    if (attempt_ == 0 && now >= doubt_until_) {
        const std::int64_t round_trip_ns = now.ns - asked_.ns;
        plc_round_trips_.add(round_trip_ns);
        if (step_ != Step::trip) building_.round_trip_ns = std::max(building_.round_trip_ns, round_trip_ns);
    }
    if (step_ == Step::trip) {
        end_trip(TripEnd::answered, now.ns - asked_.ns);
    } else if (step_ == Step::inputs) {
        ask(Step::coils, 0, now);
    } else {
        end_poll(now);
    }
}

bool BridgeMachine::take_values(const RtuFrame& frame) {
    const ByteView data = frame.data;
    if (step_ == Step::trip) return data.size() == 1 + 2 * trip_registers_;
    if (step_ == Step::coils) {
        if (data.size() != 2) return false;
        building_.coils = data[1];
        return true;
    }
    if (data.size() != 1 + 2 * building_.inputs.size()) return false;
    for (std::size_t i = 0; i < building_.inputs.size(); ++i) building_.inputs[i] = be16(data, 1 + 2 * i);
    return true;
}

void BridgeMachine::end_poll(MonoTime now) {
    if (!plc_answers_) note(false, fmt::format("PLC answers again after {} failed polls", failed_in_a_row_));
    plc_answers_ = true;
    failed_in_a_row_ = 0;
    ++totals_.records;
    building_.sequence = ++record_sequence_;
    building_.time = now;
    building_.linked = link_ == BleLink::connected;
    building_.rssi_dbm = rssi_dbm_;
    building_.battery_percent = battery_percent_;
    last_record_ = building_;
    records_.push_back(building_);
    building_.notifications = 0;
    building_.notifications_lost = 0;
    building_.round_trip_ns = -1;
}

void BridgeMachine::attempt_failed(TripEnd why, MonoTime now) {
    doubt_until_ = {now.ns + doubt_ns};
    if (step_ == Step::trip) {
        waiting_ = false;
        return end_trip(why, -1);
    }
    building_.round_trip_ns = -1;
    if (attempt_ < settings_.retries_max) {
        ++totals_.retries;
        ask(step_, attempt_ + 1, now);
        return;
    }
    waiting_ = false;
    ++totals_.failed_polls;
    ++failed_in_a_row_;
    if (std::exchange(plc_answers_, false)) {
        note(true, fmt::format("PLC does not answer: unit {}, {} attempts", settings_.unit, attempt_ + 1));
    }
}

void BridgeMachine::ble_received(ByteView bytes, MonoTime now) {
    totals_.ble_bytes += bytes.size();
    ble_deframer_.feed(bytes, {[&](ByteView data) {
                                   if (const auto frame = decode_ble(data)) {
                                       handle_ble(*frame, now);
                                   } else {
                                       ++totals_.ble_bad_frames;
                                   }
                               },
                               [this] { ++totals_.ble_bad_frames; }});
}

void BridgeMachine::handle_ble(const BleFrame& frame, MonoTime now) {
    switch (frame.type) {
        case BleType::advertisement:
            ++totals_.advertisements;
            if (frame.payload.size() >= 8) take_radio(ByteView(frame.payload).subspan(6, 2));
            // Who advertises is not connected, whatever we thought.
            if (link_ == BleLink::connected) set_link(BleLink::scanning, "the module advertises");
            if (link_ == BleLink::scanning && wants_link()) {
                set_link(BleLink::connecting, "advertisement seen");
                connect_deadline_ = {now.ns + connect_timeout_ns};
                send_ble(BleType::connection, Bytes{1});
            }
            return;
        case BleType::connection:
            handle_connection(frame);
            return;
        case BleType::notification:
            handle_notification(frame);
            return;
        case BleType::acknowledgement:
            handle_acknowledgement(frame, now);
            return;
        case BleType::link_loss:
            ++totals_.link_losses;
            set_link(BleLink::scanning, "link lost");
            return;
        case BleType::write:
            ++totals_.ble_bad_frames;
            return;
    }
}

void BridgeMachine::handle_connection(const BleFrame& frame) {
    if (frame.payload.size() < 5) {
        ++totals_.ble_bad_frames;
        return;
    }
    take_radio(ByteView(frame.payload).subspan(1, 2));
    const std::uint16_t boot = le16(frame.payload, 3);
    if (boot != module_boot_) notified_ = false;
    module_boot_ = boot;
    if (frame.payload[0] == 0) {
        set_link(BleLink::scanning, "the module disconnected");
    } else if (link_held()) {
        send_ble(BleType::connection, Bytes{0});
    } else if (link_ != BleLink::connected) {
        ++totals_.links;
        set_link(BleLink::connected, "connected");
    }
}

void BridgeMachine::handle_notification(const BleFrame& frame) {
    if (frame.payload.size() < 2) {
        ++totals_.ble_bad_frames;
        return;
    }
    // While a link is held down these are the last words of the old one.
    if (link_ != BleLink::connected && !link_held()) set_link(BleLink::connected, "already connected");
    take_radio(frame.payload);
    const auto gap = static_cast<std::uint16_t>(frame.sequence - next_notification_);
    if (notified_ && gap > 0 && gap < gap_max) {
        totals_.notifications_lost += gap;
        building_.notifications_lost += gap;
        note(true, fmt::format("lost {} notifications before number {}", gap, frame.sequence));
    }
    notified_ = true;
    next_notification_ = static_cast<std::uint16_t>(frame.sequence + 1);
    ++totals_.notifications;
    totals_.notification_bytes += frame.payload.size() - 2;
    ++building_.notifications;
}

void BridgeMachine::handle_acknowledgement(const BleFrame& frame, MonoTime now) {
    if (frame.payload.size() < 3) {
        ++totals_.ble_bad_frames;
        return;
    }
    const std::uint16_t sequence = le16(frame.payload, 0);
    const auto found = std::find_if(pending_writes_.begin(), pending_writes_.end(),
                                    [&](const PendingWrite& write) { return write.sequence == sequence; });
    if (found == pending_writes_.end()) {
        ++totals_.stray_frames;
        return;
    }
    ++totals_.acknowledgements;
    const std::int64_t round_trip_ns = now.ns - found->sent.ns;
    ble_round_trips_.add(round_trip_ns);
    write_results_.push_back({sequence, frame.payload[2] == 0, false, round_trip_ns});
    pending_writes_.erase(found);
}

void BridgeMachine::take_radio(ByteView rssi_and_battery) {
    ++totals_.radio_reports;
    rssi_dbm_ = static_cast<std::int8_t>(rssi_and_battery[0]);
    battery_percent_ = rssi_and_battery[1];
}

void BridgeMachine::set_link(BleLink link, const char* why) {
    if (link == link_) return;
    const bool lost = link_ == BleLink::connected;
    link_ = link;
    if (link == BleLink::connected || lost) note(lost, fmt::format("BLE {}: {}", ble_link_name(link), why));
}

void BridgeMachine::send_ble(BleType type, ByteView payload) {
    append(ble_output_, encode_ble({type, ble_sequence_++, Bytes(payload.begin(), payload.end())}));
}

void BridgeMachine::advance(MonoTime now) {
    if (waiting_ && now.ns - asked_.ns >= settings_.timeout_ns) {
        ++totals_.timeouts;
        const bool cut_short = answers_.held() > 0;
        if (cut_short) ++totals_.crc_errors;
        answers_.reset();
        attempt_failed(cut_short ? TripEnd::damaged : TripEnd::timed_out, now);
    }
    if (plc_open_ && !waiting_) begin_next(now);
    if (link_ == BleLink::connecting && connect_deadline_ <= now) {
        set_link(BleLink::scanning, "the module did not answer");
    }
    while (!pending_writes_.empty() && now.ns - pending_writes_.front().sent.ns >= acknowledge_timeout_ns) {
        write_results_.push_back({pending_writes_.front().sequence, false, true, acknowledge_timeout_ns});
        pending_writes_.pop_front();
    }
}

MonoTime BridgeMachine::next_event() const noexcept {
    MonoTime next{std::numeric_limits<std::int64_t>::max()};
    if (waiting_) {
        next = {asked_.ns + settings_.timeout_ns};
    } else if (plc_open_) {
        // A trip that waits is asked in the next advance().
        next = trips_.empty() ? next_poll_ : MonoTime{};
    }
    if (link_ == BleLink::connecting) next = std::min(next, connect_deadline_);
    if (!pending_writes_.empty()) {
        next = std::min(next, MonoTime{pending_writes_.front().sent.ns + acknowledge_timeout_ns});
    }
    return next;
}

void BridgeMachine::pair(MonoTime) {
    keep_linked_ = true;
    wish_ = LinkWish::by_settings;
    if (link_ != BleLink::connected) return;
    send_ble(BleType::connection, Bytes{0});
    set_link(BleLink::scanning, "pairing anew");
}

void BridgeMachine::wish_link(LinkWish wish) {
    wish_ = wish;
    if (!link_held() || (link_ != BleLink::connected && link_ != BleLink::connecting)) return;
    send_ble(BleType::connection, Bytes{0});
    set_link(BleLink::scanning, "held down");
}

void BridgeMachine::stop_pairing() noexcept {
    keep_linked_ = settings_.keep_linked;
    if (!wants_link() && link_ == BleLink::connecting) link_ = BleLink::scanning;
}

Result<std::uint16_t> BridgeMachine::send(ByteView data, MonoTime now) {
    if (link_ != BleLink::connected) return fail(Code::action_failed, "no BLE module is connected");
    const std::uint16_t sequence = ble_sequence_;
    send_ble(BleType::write, data);
    ++totals_.writes;
    pending_writes_.push_back({sequence, now});
    return sequence;
}

void BridgeMachine::reset_counters() {
    forgotten_ = totals_;
    plc_round_trips_.clear();
    ble_round_trips_.clear();
}

}  // namespace labdeck::bench_apps
