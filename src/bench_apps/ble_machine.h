// ble_machine.h - the simulated BLE module behind a serial port.
//
// Pure: no thread, no port, and the time is an argument. Whoever owns the port hands in
// what was received, calls advance() when next_event() says so, and sends what take_output() gives.
//
// While a link is dropped the module hears and says nothing, but goes on counting its notifications: what was
// lost in the air shows as a gap in their numbers once the link is back.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "bench_apps/ble_frame.h"
#include "bench_apps/cobs.h"
#include "bench_apps/seeded_stream.h"

namespace labdeck::bench_apps {

class BleMachine {
public:
    struct Settings {
        std::uint32_t baud = 115'200;
        std::uint64_t seed = 1;
        double notify_hertz = 20;
        std::size_t notify_bytes = 32;
        std::int64_t advertise_interval_ns = 100'000'000;
        std::uint16_t boot = 1;  ///< Another one each time the module starts.
        std::string name = "LD-SENSE";
    };
    struct Counters {
        std::uint64_t advertisements = 0;
        std::uint64_t notifications = 0;  ///< Sent.
        std::uint64_t lost_in_air = 0;    ///< Numbered, but never sent: the link was down.
        std::uint64_t connections = 0;
        std::uint64_t link_losses = 0;
        std::uint64_t rx_frames = 0;
        std::uint64_t tx_frames = 0;
        std::uint64_t bad_frames = 0;  ///< No COBS, wrong check sum, or nothing that a host may say.
    };

    BleMachine(const Settings& settings, MonoTime start);

    void receive(ByteView bytes, MonoTime now);
    /// Does everything that is due: advertisements, notifications, the walk of the RSSI, the end of a dropped
    /// link.
    void advance(MonoTime now);
    /// When advance() has something to do next. Always in the future right after an advance().
    MonoTime next_event() const noexcept;
    /// What is to be sent, and forgets it.
    Bytes take_output() { return std::exchange(output_, {}); }

    void advertise(bool on, std::int64_t interval_ns, MonoTime now);
    /// As if a host had connected. Not while the link is dropped.
    Result<> connect(MonoTime now);
    void disconnect(MonoTime now);
    /// E_BAD_ARG when the port cannot carry it. 0 Hz switches notifications off.
    Result<> set_notify(double hertz, std::size_t bytes, MonoTime now);
    /// `walk_db` is the widest step a quarter second; 0 keeps the level.
    void set_rssi(int level_dbm, double walk_db);
    void drop_link(std::int64_t duration_ns, MonoTime now);
    void set_battery(int percent) { battery_percent_ = percent; }

    bool connected() const noexcept { return connected_; }
    bool advertising() const noexcept { return advertising_; }
    bool dropped() const noexcept { return drop_until_.ns != 0; }
    /// When the dropped link is back; {0} when it is not dropped.
    MonoTime drop_until() const noexcept { return drop_until_; }
    int rssi_dbm() const noexcept;
    int battery_percent() const noexcept { return battery_percent_; }
    double notify_hertz() const noexcept { return settings_.notify_hertz; }
    std::size_t notify_bytes() const noexcept { return settings_.notify_bytes; }
    std::int64_t advertise_interval_ns() const noexcept { return settings_.advertise_interval_ns; }
    /// What the host wrote last.
    const Bytes& last_write() const noexcept { return last_write_; }
    const Counters& counters() const noexcept { return counters_; }

private:
    void send(BleType type, std::uint16_t sequence, Bytes payload);
    void handle(const BleFrame& frame, MonoTime now);
    void set_connected(bool on, MonoTime now);
    void notify(MonoTime when);
    void walk_rssi();
    void restart_notifications(MonoTime now);
    std::int64_t notify_period_ns() const noexcept;
    bool notifying() const noexcept {
        return settings_.notify_hertz > 0 && (connected_ || dropped_while_connected_);
    }

    Settings settings_;
    SeededStream draw_;
    CobsDeframer deframer_{ble_frame_bytes_max};
    Bytes output_;
    Bytes last_write_;
    bool advertising_ = true;
    bool connected_ = false;
    bool dropped_while_connected_ = false;
    MonoTime drop_until_;  ///< {0}: the link is not dropped.
    MonoTime next_advertisement_;
    MonoTime next_notification_;
    MonoTime next_walk_;
    std::uint16_t own_sequence_ = 0;
    std::uint16_t notify_sequence_ = 0;
    double rssi_level_ = -58;
    double rssi_walk_ = 1.5;
    double rssi_offset_ = 0;
    int battery_percent_ = 87;
    Counters counters_;
};

}  // namespace labdeck::bench_apps
