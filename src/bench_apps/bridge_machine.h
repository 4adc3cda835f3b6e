// bridge_machine.h - joins what the PLC and the BLE module say into records.
//
// Pure: no thread, no port, and the time is an argument. Asks the PLC at a fixed pace and again when it does
// not answer; finds, connects and keeps the BLE module. What went missing is counted where it
// shows: time-outs and retries, wrong check sums, gaps in the numbers of notifications.
//
// A round trip counts only when nothing else can have been answered: neither a retry's nor one that
// comes within a second of a time-out, when a late answer may still be on its way.
//
// Somebody who judges the devices may ask for single round trips, which are never tried again, and have the
// link held down for a while.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bench_apps/ble_frame.h"
#include "bench_apps/cobs.h"
#include "bench_apps/modbus_rtu.h"
#include "bench_apps/plc_machine.h"
#include "bench_apps/round_trips.h"

namespace labdeck::bench_apps {

/// One poll of the PLC, with what the BLE module said until then.
struct BridgeRecord {
    std::uint64_t sequence = 0;
    MonoTime time;
    std::array<std::uint16_t, PlcMachine::input_count> inputs{};
    std::uint8_t coils = 0;  ///< Bit n is coil n.
    bool linked = false;
    int rssi_dbm = 0;
    int battery_percent = 0;
    std::uint64_t notifications = 0;       ///< Since the record before.
    std::uint64_t notifications_lost = 0;  ///< Likewise.
    std::int64_t round_trip_ns = -1;       ///< Of the slower of the two requests, -1 when it does not count.
};

enum class BleLink : unsigned char { down, scanning, connecting, connected };
std::string_view ble_link_name(BleLink link) noexcept;

/// What somebody who judges the BLE module wants of the link.
enum class LinkWish : unsigned char {
    by_settings,
    hold_down,  ///< Ended, and none made; advertisements are still counted.
    make,       ///< Made whenever the module advertises.
};

/// How one request to the PLC ended.
enum class TripEnd : unsigned char { answered, exception, damaged, timed_out, port_gone };
std::string_view trip_end_name(TripEnd end) noexcept;

class BridgeMachine {
public:
    struct Settings {
        std::uint8_t unit = 1;
        std::int64_t poll_ns = 50'000'000;
        std::int64_t timeout_ns = 200'000'000;  ///< Of one attempt.
        int retries_max = 2;
        bool keep_linked = true;  ///< Connects whenever the module advertises.
    };
    struct Counters {
        std::uint64_t requests = 0;  ///< Sent, retries included.
        std::uint64_t answers = 0;
        std::uint64_t exceptions = 0;
        std::uint64_t timeouts = 0;
        std::uint64_t retries = 0;
        std::uint64_t crc_errors = 0;    ///< Answers that came damaged or cut short.
        std::uint64_t stray_frames = 0;  ///< Sound, but nobody had asked.
        std::uint64_t failed_polls = 0;  ///< Given up after the last retry.
        std::uint64_t records = 0;
        std::uint64_t advertisements = 0;
        std::uint64_t notifications = 0;
        std::uint64_t notifications_lost = 0;
        std::uint64_t notification_bytes = 0;
        std::uint64_t ble_bad_frames = 0;
        std::uint64_t link_losses = 0;
        std::uint64_t links = 0;
        std::uint64_t writes = 0;
        std::uint64_t acknowledgements = 0;
        std::uint64_t radio_reports = 0;  ///< Frames that told RSSI and battery.
        std::uint64_t plc_bytes = 0;      ///< Received: where we are in what the PLC has said.
        std::uint64_t ble_bytes = 0;      ///< Likewise.
        std::uint64_t plc_losses = 0;     ///< Times that the PLC's port went away.
        std::uint64_t ble_losses = 0;     ///< Likewise.

        Counters since(const Counters& before) const noexcept;
        friend bool operator==(const Counters&, const Counters&) = default;
    };
    /// For the log. Only what changes is told, so that a dead line does not flood it.
    struct Note {
        bool warning = false;
        std::string text;
    };
    struct WriteResult {
        std::uint16_t sequence = 0;
        bool taken = false;
        bool timed_out = false;
        std::int64_t round_trip_ns = 0;
    };
    /// Of a round trip that somebody asked for.
    struct TripResult {
        std::uint64_t id = 0;
        TripEnd end = TripEnd::answered;
        std::int64_t round_trip_ns = -1;  ///< When it was answered.
    };
    static constexpr std::size_t trips_max = 256;

    BridgeMachine(const Settings& settings, MonoTime start);

    /// A port came or went. Nothing is sent to one that is gone.
    void plc_port(bool open, MonoTime now);
    void ble_port(bool open, MonoTime now);
    void plc_received(ByteView bytes, MonoTime now);
    void ble_received(ByteView bytes, MonoTime now);
    void advance(MonoTime now);
    /// When advance() has something to do next.
    MonoTime next_event() const noexcept;

    Bytes take_plc_output() { return std::exchange(plc_output_, {}); }
    Bytes take_ble_output() { return std::exchange(ble_output_, {}); }
    std::vector<BridgeRecord> take_records() { return std::exchange(records_, {}); }
    std::vector<Note> take_notes() { return std::exchange(notes_, {}); }
    std::vector<WriteResult> take_write_results() { return std::exchange(write_results_, {}); }
    std::vector<TripResult> take_trip_results() { return std::exchange(trip_results_, {}); }

    /// From now on connects whenever the module advertises. Ends a link that is there first, to make it anew.
    void pair(MonoTime now);
    /// Takes pair() back; a link that is there stays.
    void stop_pairing() noexcept;
    /// Returns the number under which the acknowledgement will come.
    [[nodiscard]] Result<std::uint16_t> send(ByteView data, MonoTime now);
    void reset_counters();
    /// One request to the PLC, between two polls, never tried again. Its result has this id. E_QUEUE_FULL
    /// when trips_max are waiting.
    [[nodiscard]] Result<> ask_trip(std::uint64_t id, MonoTime now);
    /// Overrules the settings and pair() until it is `by_settings` again. A link that is there stays, unless
    /// it is to be held down.
    void wish_link(LinkWish wish);

    bool link_held() const noexcept { return wish_ == LinkWish::hold_down; }
    bool plc_open() const noexcept { return plc_open_; }
    int rssi_dbm() const noexcept { return rssi_dbm_; }
    int battery_percent() const noexcept { return battery_percent_; }
    BleLink link() const noexcept { return link_; }
    bool plc_answers() const noexcept { return plc_answers_; }
    /// Since reset_counters().
    Counters counters() const noexcept { return totals_.since(forgotten_); }
    /// Since the machine started, whoever resets what: two looks at it bound a window.
    const Counters& totals() const noexcept { return totals_; }
    const RoundTrips& plc_round_trips() const noexcept { return plc_round_trips_; }
    const RoundTrips& ble_round_trips() const noexcept { return ble_round_trips_; }
    const BridgeRecord& last_record() const noexcept { return last_record_; }

private:
    enum class Step : unsigned char { inputs, coils, trip };
    struct PendingWrite {
        std::uint16_t sequence = 0;
        MonoTime sent;
    };

    void ask(Step step, int attempt, MonoTime now);
    void attempt_failed(TripEnd why, MonoTime now);
    void begin_next(MonoTime now);
    void end_trip(TripEnd end, std::int64_t round_trip_ns);
    bool wants_link() const noexcept {
        return wish_ == LinkWish::by_settings ? keep_linked_ : wish_ == LinkWish::make;
    }
    void handle_answer(ByteView adu, MonoTime now);
    bool take_values(const RtuFrame& frame);
    void end_poll(MonoTime now);
    void handle_ble(const BleFrame& frame, MonoTime now);
    void handle_connection(const BleFrame& frame);
    void handle_notification(const BleFrame& frame);
    void handle_acknowledgement(const BleFrame& frame, MonoTime now);
    void take_radio(ByteView rssi_and_battery);
    void set_link(BleLink link, const char* why);
    void send_ble(BleType type, ByteView payload);
    void note(bool warning, std::string text) { notes_.push_back({warning, std::move(text)}); }

    const Settings settings_;
    Counters totals_;
    Counters forgotten_;  ///< Of the totals, when the counters were last reset.
    RoundTrips plc_round_trips_{1024};
    RoundTrips ble_round_trips_{256};
    std::vector<BridgeRecord> records_;
    std::vector<Note> notes_;
    std::vector<WriteResult> write_results_;
    std::vector<TripResult> trip_results_;
    BridgeRecord last_record_;
    BridgeRecord building_;
    std::uint64_t record_sequence_ = 0;  ///< Goes on when the counters are reset.

    // The PLC's side.
    RtuDeframer answers_{RtuSide::response};
    Bytes plc_output_;
    bool plc_open_ = false;
    bool plc_answers_ = true;
    std::uint64_t failed_in_a_row_ = 0;
    bool waiting_ = false;
    Step step_ = Step::inputs;
    int attempt_ = 0;
    MonoTime asked_;
    MonoTime next_poll_;
    MonoTime doubt_until_;             ///< Until then an answer may be a late one.
    std::deque<std::uint64_t> trips_;  ///< Ids, the one under way included.
    unsigned trip_registers_ = 0;      ///< How many the trip under way asks for.
    bool polled_last_ = false;         ///< A trip's turn, even where polls come without a pause.

    // The BLE module's side.
    CobsDeframer ble_deframer_{ble_frame_bytes_max};
    Bytes ble_output_;
    BleLink link_ = BleLink::down;
    bool keep_linked_;
    LinkWish wish_ = LinkWish::by_settings;
    MonoTime connect_deadline_;
    std::uint16_t ble_sequence_ = 0;
    std::uint32_t module_boot_ = no_boot;
    bool notified_ = false;  ///< The next number is known.
    std::uint16_t next_notification_ = 0;
    std::deque<PendingWrite> pending_writes_;
    int rssi_dbm_ = 0;
    int battery_percent_ = 0;

    static constexpr std::uint32_t no_boot = 0x10000;
};

}  // namespace labdeck::bench_apps
