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

}  // namespace

std::string_view ble_link_name(BleLink link) noexcept {
    return ble_link_names[static_cast<std::size_t>(link)];
}

BridgeMachine::BridgeMachine(const Settings& settings, MonoTime start)
    : settings_(settings), next_poll_(start), keep_linked_(settings.keep_linked) {}

void BridgeMachine::plc_port(bool open, MonoTime now) {
    plc_open_ = open;
    waiting_ = false;
    answers_.reset();
    plc_output_.clear();
    next_poll_ = now;
}

void BridgeMachine::ble_port(bool open, MonoTime) {
    ble_deframer_.reset();
    ble_output_.clear();
    set_link(open ? BleLink::scanning : BleLink::down, open ? "port open" : "port lost");
}

void BridgeMachine::ask(Step step, int attempt, MonoTime now) {
    step_ = step;
    attempt_ = attempt;
    asked_ = now;
    waiting_ = true;
    ++counters_.requests;
    const bool inputs = step == Step::inputs;
    append(plc_output_,
           rtu_request(settings_.unit,
                       inputs ? ModbusFunction::read_input_registers : ModbusFunction::read_coils, 0,
                       inputs ? PlcMachine::input_count : PlcMachine::coil_count));
}

void BridgeMachine::plc_received(ByteView bytes, MonoTime now) {
    bool damaged = false;
    answers_.feed(bytes, {[&](ByteView adu) { handle_answer(adu, now); }, [&](ByteView) { damaged = true; }});
    if (!damaged) return;
    ++counters_.crc_errors;
    answers_.reset();
    if (waiting_) attempt_failed(now);
}

void BridgeMachine::handle_answer(ByteView adu, MonoTime now) {
    const RtuFrame frame = *decode_rtu(adu);
    const auto asked =
        step_ == Step::inputs ? ModbusFunction::read_input_registers : ModbusFunction::read_coils;
    const auto function = static_cast<std::uint8_t>(asked);
    if (!waiting_ || frame.unit != settings_.unit || (frame.function & ~exception_bit) != function) {
        ++counters_.stray_frames;
        return;
    }
    ++counters_.answers;
    if (frame.function != function) {
        ++counters_.exceptions;
        attempt_failed(now);
        return;
    }
    if (!take_values(frame)) {
        ++counters_.stray_frames;
        return;
    }
    waiting_ = false;
    if (attempt_ == 0 && now >= doubt_until_) {
        const std::int64_t round_trip_ns = now.ns - asked_.ns;
        plc_round_trips_.add(round_trip_ns);
        building_.round_trip_ns = std::max(building_.round_trip_ns, round_trip_ns);
    }
    if (step_ == Step::inputs) {
        ask(Step::coils, 0, now);
    } else {
        end_poll(now);
    }
}

bool BridgeMachine::take_values(const RtuFrame& frame) {
    const ByteView data = frame.data;
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
    ++counters_.records;
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

void BridgeMachine::attempt_failed(MonoTime now) {
    doubt_until_ = {now.ns + doubt_ns};
    building_.round_trip_ns = -1;
    if (attempt_ < settings_.retries_max) {
        ++counters_.retries;
        ask(step_, attempt_ + 1, now);
        return;
    }
    waiting_ = false;
    ++counters_.failed_polls;
    ++failed_in_a_row_;
    if (std::exchange(plc_answers_, false)) {
        note(true, fmt::format("PLC does not answer: unit {}, {} attempts", settings_.unit, attempt_ + 1));
    }
}

void BridgeMachine::ble_received(ByteView bytes, MonoTime now) {
    ble_deframer_.feed(bytes, {[&](ByteView data) {
                                   if (const auto frame = decode_ble(data)) {
                                       handle_ble(*frame, now);
                                   } else {
                                       ++counters_.ble_bad_frames;
                                   }
                               },
                               [this] { ++counters_.ble_bad_frames; }});
}

void BridgeMachine::handle_ble(const BleFrame& frame, MonoTime now) {
    switch (frame.type) {
        case BleType::advertisement:
            ++counters_.advertisements;
            if (frame.payload.size() >= 8) take_radio(ByteView(frame.payload).subspan(6, 2));
            // Who advertises is not connected, whatever we thought.
            if (link_ == BleLink::connected) set_link(BleLink::scanning, "the module advertises");
            if (link_ == BleLink::scanning && keep_linked_) {
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
            ++counters_.link_losses;
            set_link(BleLink::scanning, "link lost");
            return;
        case BleType::write:
            ++counters_.ble_bad_frames;
            return;
    }
}

void BridgeMachine::handle_connection(const BleFrame& frame) {
    if (frame.payload.size() < 5) {
        ++counters_.ble_bad_frames;
        return;
    }
    take_radio(ByteView(frame.payload).subspan(1, 2));
    const std::uint16_t boot = le16(frame.payload, 3);
    if (boot != module_boot_) notified_ = false;
    module_boot_ = boot;
    if (frame.payload[0] == 0) {
        set_link(BleLink::scanning, "the module disconnected");
    } else if (link_ != BleLink::connected) {
        ++counters_.links;
        set_link(BleLink::connected, "connected");
    }
}

void BridgeMachine::handle_notification(const BleFrame& frame) {
    if (frame.payload.size() < 2) {
        ++counters_.ble_bad_frames;
        return;
    }
    if (link_ != BleLink::connected) set_link(BleLink::connected, "already connected");
    take_radio(frame.payload);
    const auto gap = static_cast<std::uint16_t>(frame.sequence - next_notification_);
    if (notified_ && gap > 0 && gap < gap_max) {
        counters_.notifications_lost += gap;
        building_.notifications_lost += gap;
        note(true, fmt::format("lost {} notifications before number {}", gap, frame.sequence));
    }
    notified_ = true;
    next_notification_ = static_cast<std::uint16_t>(frame.sequence + 1);
    ++counters_.notifications;
    counters_.notification_bytes += frame.payload.size() - 2;
    ++building_.notifications;
}

void BridgeMachine::handle_acknowledgement(const BleFrame& frame, MonoTime now) {
    if (frame.payload.size() < 3) {
        ++counters_.ble_bad_frames;
        return;
    }
    const std::uint16_t sequence = le16(frame.payload, 0);
    const auto found = std::find_if(pending_writes_.begin(), pending_writes_.end(),
                                    [&](const PendingWrite& write) { return write.sequence == sequence; });
    if (found == pending_writes_.end()) {
        ++counters_.stray_frames;
        return;
    }
    ++counters_.acknowledgements;
    const std::int64_t round_trip_ns = now.ns - found->sent.ns;
    ble_round_trips_.add(round_trip_ns);
    write_results_.push_back({sequence, frame.payload[2] == 0, false, round_trip_ns});
    pending_writes_.erase(found);
}

void BridgeMachine::take_radio(ByteView rssi_and_battery) {
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
        ++counters_.timeouts;
        if (answers_.held() > 0) ++counters_.crc_errors;
        answers_.reset();
        attempt_failed(now);
    }
    if (plc_open_ && !waiting_ && next_poll_ <= now) {
        ask(Step::inputs, 0, now);
        // Slots that were missed are not made up for.
        next_poll_.ns += settings_.poll_ns;
        if (next_poll_ <= now) next_poll_ = {now.ns + settings_.poll_ns};
    }
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
        next = next_poll_;
    }
    if (link_ == BleLink::connecting) next = std::min(next, connect_deadline_);
    if (!pending_writes_.empty()) {
        next = std::min(next, MonoTime{pending_writes_.front().sent.ns + acknowledge_timeout_ns});
    }
    return next;
}

void BridgeMachine::pair(MonoTime) {
    keep_linked_ = true;
    if (link_ != BleLink::connected) return;
    send_ble(BleType::connection, Bytes{0});
    set_link(BleLink::scanning, "pairing anew");
}

void BridgeMachine::stop_pairing() noexcept {
    keep_linked_ = settings_.keep_linked;
    if (!keep_linked_ && link_ == BleLink::connecting) link_ = BleLink::scanning;
}

Result<std::uint16_t> BridgeMachine::send(ByteView data, MonoTime now) {
    if (link_ != BleLink::connected) return fail(Code::action_failed, "no BLE module is connected");
    const std::uint16_t sequence = ble_sequence_;
    send_ble(BleType::write, data);
    ++counters_.writes;
    pending_writes_.push_back({sequence, now});
    return sequence;
}

void BridgeMachine::reset_counters() {
    counters_ = {};
    plc_round_trips_.clear();
    ble_round_trips_.clear();
}

}  // namespace labdeck::bench_apps
