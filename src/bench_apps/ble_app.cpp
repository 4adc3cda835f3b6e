#include "bench_apps/ble_app.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/id.h"
#include "bench_apps/seeded_stream.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::array<FieldSpec, 8> settings_fields = {{
    {.name = "port",
     .label = "Port",
     .required = true,
     .preset = R"(".labdeck/dev/ble-sim")",
     .help = "the COM port that the module is behind",
     .path = true},
    {.name = "baud",
     .label = "Baud rate",
     .type = FieldType::integer,
     .preset = "115200",
     .min = 50,
     .max = 12'000'000,
     .unit = "Bd"},
    simulator_transport_field,
    simulator_tcp_port_field("5021"),
    {.name = "seed",
     .label = "Seed",
     .type = FieldType::integer,
     .preset = "1",
     .min = 0,
     .max = 4'294'967'295.0,
     .help = "the same seed gives the same walk and the same samples"},
    {.name = "autoStart", .label = "Start by itself", .type = FieldType::boolean, .preset = "false"},
    {.name = "notifyHertz",
     .label = "Notifications a second",
     .type = FieldType::number,
     .preset = "20",
     .min = 0,
     .max = 10'000,
     .unit = "Hz"},
    {.name = "notifyBytes",
     .label = "Bytes of each",
     .type = FieldType::integer,
     .preset = "32",
     .min = 0,
     .max = ble_data_bytes_max,
     .unit = "B"},
}};

constexpr std::array<FieldSpec, 2> advertise_args = {{
    {.name = "on", .label = "On", .type = FieldType::boolean, .preset = "true"},
    {.name = "intervalMs",
     .label = "Interval",
     .type = FieldType::integer,
     .preset = "100",
     .min = 20,
     .max = 10'240,
     .unit = "ms"},
}};
constexpr std::array<FieldSpec, 2> set_notify_args = {{
    {.name = "hertz",
     .label = "Notifications a second",
     .type = FieldType::number,
     .required = true,
     .min = 0,
     .max = 10'000,
     .unit = "Hz",
     .help = "up to what the port carries; 0 ends them"},
    {.name = "bytes",
     .label = "Bytes of each",
     .type = FieldType::integer,
     .required = true,
     .min = 0,
     .max = ble_data_bytes_max,
     .unit = "B"},
}};
constexpr std::array<FieldSpec, 2> set_rssi_args = {{
    {.name = "level",
     .label = "Level",
     .type = FieldType::integer,
     .required = true,
     .min = -127,
     .max = 20,
     .unit = "dBm"},
    {.name = "walk",
     .label = "Walk",
     .type = FieldType::number,
     .preset = "0",
     .min = 0,
     .max = 20,
     .unit = "dB",
     .help = "the widest step each quarter second"},
}};
constexpr std::array<FieldSpec, 1> drop_link_args = {{
    {.name = "seconds",
     .label = "Duration",
     .type = FieldType::number,
     .preset = "5",
     .min = 0,
     .max = 86'400,
     .unit = "s"},
}};
constexpr std::array<FieldSpec, 1> set_battery_args = {{
    {.name = "percent",
     .label = "Charge",
     .type = FieldType::integer,
     .required = true,
     .min = 0,
     .max = 100,
     .unit = "%"},
}};

constexpr ActionSpec advertise_spec{.name = "advertise",
                                    .label = "Advertise",
                                    .args = advertise_args,
                                    .help = "Switches advertising on or off, and how often."};
constexpr ActionSpec connect_spec{
    .name = "connect", .label = "Connect", .help = "As if a host had connected by itself."};
constexpr ActionSpec disconnect_spec{
    .name = "disconnect", .label = "Disconnect", .help = "Ends the connection."};
constexpr ActionSpec set_notify_spec{.name = "set_notify",
                                     .label = "Set notifications",
                                     .args = set_notify_args,
                                     .help = "How often it notifies, and with how much."};
constexpr ActionSpec set_rssi_spec{
    .name = "set_rssi", .label = "Set RSSI", .args = set_rssi_args, .help = "How well it is heard."};
constexpr ActionSpec drop_link_spec{.name = "drop_link",
                                    .label = "Drop the link",
                                    .args = drop_link_args,
                                    .help = "Out of range for a while; what it notifies then is lost."};
constexpr ActionSpec set_battery_spec{.name = "set_battery",
                                      .label = "Set battery",
                                      .args = set_battery_args,
                                      .help = "The charge that it tells."};

constexpr AppIdentity ble_identity{
    .id = "ble-simulator", .title = "COM Traffic Simulator (BLE)", .model = ProcessModel::hosted_role};

std::string profile_text(double hertz, std::size_t bytes) {
    return fmt::format("{} Hz x {} B", hertz, bytes);
}

}  // namespace

BleApp::BleApp(const AppContext& context)
    : BenchApp(ble_identity, context, settings_fields), timer_(context.reactor, [this] { pump(); }) {
    add_radio_actions();
    add_link_actions();
}

BleApp::~BleApp() {
    BleApp::stop();
}

void BleApp::add_radio_actions() {
    add_action(advertise_spec, Needs::running, [this](const Json& args) -> Result<Json> {
        machine_->advertise(args.at("on").get<bool>(), args.at("intervalMs").get<std::int64_t>() * 1'000'000,
                            mono_now());
        pump();
        return args;
    });
    add_action(set_notify_spec, Needs::running, [this](const Json& args) -> Result<Json> {
        LD_TRY(machine_->set_notify(args.at("hertz").get<double>(), args.at("bytes").get<std::size_t>(),
                                    mono_now()));
        pump();
        return args;
    });
    add_action(set_rssi_spec, Needs::running, [this](const Json& args) -> Result<Json> {
        machine_->set_rssi(args.at("level").get<int>(), args.at("walk").get<double>());
        return args;
    });
    add_action(set_battery_spec, Needs::running, [this](const Json& args) -> Result<Json> {
        machine_->set_battery(args.at("percent").get<int>());
        return args;
    });
}

void BleApp::add_link_actions() {
    add_action(connect_spec, Needs::running, [this](const Json&) -> Result<Json> {
        LD_TRY(machine_->connect(mono_now()));
        pump();
        return Json{{"connected", true}};
    });
    add_action(disconnect_spec, Needs::running, [this](const Json&) -> Result<Json> {
        machine_->disconnect(mono_now());
        pump();
        return Json{{"connected", false}};
    });
    add_action(drop_link_spec, Needs::running, [this](const Json& args) -> Result<Json> {
        const auto seconds = args.at("seconds").get<double>();
        machine_->drop_link(static_cast<std::int64_t>(seconds * 1e9), mono_now());
        log(LogLevel::warning, fmt::format("link dropped seconds={}", seconds));
        pump();
        return args;
    });
}

Result<> BleApp::start(const AppConfig::Values& settings) {
    port_name_ = simulator_port_name(settings);
    transport_ = settings.text("transportMode");
    baud_ = static_cast<std::uint32_t>(settings.integer("baud"));
    BleMachine::Settings wanted;
    wanted.baud = baud_;
    wanted.seed = static_cast<std::uint64_t>(settings.integer("seed"));
    const MonoTime now = mono_now();
    wanted.boot = static_cast<std::uint16_t>(mix64(static_cast<std::uint64_t>(now.ns)));
    auto machine = std::make_unique<BleMachine>(wanted, now);
    Result<> notify = machine->set_notify(settings.number("notifyHertz"),
                                          static_cast<std::size_t>(settings.integer("notifyBytes")), now);
    if (!notify) return fail(Code::config_invalid, notify.error().message, R"({"key":"notifyHertz"})");
    auto port = make_simulator_port(
        reactor(), config(), settings,
        Link::Handler{[this](ByteView bytes, MonoTime when) {
                          machine_->receive(bytes, when);
                          pump();
                      },
                      [this](bool open, const std::string& why) {
                          log(open ? LogLevel::info : LogLevel::error,
                              open ? fmt::format("port back port={}", port_name_)
                                   : fmt::format("port lost port={} why=\"{}\"", port_name_, why));
                          set_error(open ? ""
                                         : fmt::format("port {} lost: {}; trying again each second",
                                                       port_name_, why));
                      }});
    LD_TRY(port->open());
    machine_ = std::move(machine);
    port_ = std::move(port);
    told_ = {};
    told_at_ = now;
    notified_per_second_ = 0;
    pump();
    return {};
}

void BleApp::stop() {
    timer_.cancel();
    port_.reset();
    machine_.reset();
}

void BleApp::pump() {
    machine_->advance(mono_now());
    port_->send(machine_->take_output());
    timer_.set(machine_->next_event());
}

void BleApp::on_second() {
    const BleMachine::Counters& now = machine_->counters();
    const bool trouble = now.lost_in_air != told_.lost_in_air || now.bad_frames != told_.bad_frames;
    log(trouble ? LogLevel::warning : LogLevel::info,
        fmt::format("radio {} rssi={} battery={} notified={} advertised={} lostInAir={}",
                    machine_->dropped()     ? "dropped"
                    : machine_->connected() ? "connected"
                                            : "idle",
                    machine_->rssi_dbm(), machine_->battery_percent(),
                    now.notifications - told_.notifications, now.advertisements - told_.advertisements,
                    now.lost_in_air - told_.lost_in_air));
    const MonoTime looked = mono_now();
    const double seconds = static_cast<double>(looked.ns - told_at_.ns) / 1e9;
    if (seconds > 0) {
        const auto sent = static_cast<double>(now.notifications - told_.notifications);
        notified_per_second_ = std::round(10 * sent / seconds) / 10;
    }
    told_ = now;
    told_at_ = looked;
}

std::vector<PortTraffic> BleApp::traffic() const {
    if (!port_) {
        const AppConfig::Values settings = config().read();
        return {{simulator_port_name(settings), false, static_cast<std::uint32_t>(settings.integer("baud"))}};
    }
    const Link::Counters& port = port_->counters();
    const BleMachine::Counters& machine = machine_->counters();
    return {{port_name_, port_->is_open(), baud_, port.rx_bytes, port.tx_bytes, machine.rx_frames,
             machine.tx_frames, machine.bad_frames + port.losses + port.tx_dropped_bytes}};
}

void BleApp::describe(Json& status) const {
    const BleMachine::Counters none;
    const BleMachine::Counters& counters = machine_ ? machine_->counters() : none;
    AppConfig::Values settings;  // Of an app that does not run.
    if (machine_) {
        status["profile"] = profile_text(machine_->notify_hertz(), machine_->notify_bytes());
    } else {
        settings = config().read();
        status["profile"] = profile_text(settings.number("notifyHertz"),
                                         static_cast<std::size_t>(settings.integer("notifyBytes")));
    }
    status["link"] = !machine_               ? "down"
                     : machine_->dropped()   ? "dropped"
                     : machine_->connected() ? "connected"
                                             : "idle";
    status["transportMode"] = machine_ ? transport_ : settings.text("transportMode");
    status["notifyHertz"] = machine_ ? Json(machine_->notify_hertz()) : Json(nullptr);
    status["notifyBytes"] = machine_ ? Json(machine_->notify_bytes()) : Json(nullptr);
    status["notificationsPerSecond"] = machine_ ? Json(notified_per_second_) : Json(nullptr);
    Json faults = Json::array();
    if (machine_ && machine_->dropped()) {
        const double left_s =
            std::max(0.0, static_cast<double>(machine_->drop_until().ns - mono_now().ns) / 1e9);
        faults.push_back({{"kind", "drop_link"}, {"secondsLeft", std::ceil(left_s * 10) / 10}});
    }
    status["faults"] = std::move(faults);
    status["advertising"] = machine_ && machine_->advertising();
    status["advertiseIntervalMs"] = machine_ ? machine_->advertise_interval_ns() / 1'000'000 : 0;
    status["rssi"] = machine_ ? Json(machine_->rssi_dbm()) : Json(nullptr);
    status["battery"] = machine_ ? Json(machine_->battery_percent()) : Json(nullptr);
    status["notifications"] = counters.notifications;
    status["lostInAir"] = counters.lost_in_air;
    status["advertisements"] = counters.advertisements;
    status["connections"] = counters.connections;
    status["linkLosses"] = counters.link_losses;
    status["badFrames"] = counters.bad_frames;
    status["lastWrite"] = machine_ ? as_text(machine_->last_write()) : std::string_view{};
}

}  // namespace labdeck::bench_apps
