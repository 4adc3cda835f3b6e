#include "bench_apps/bridge_app.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "bench_apps/port_link.h"
#include "bench_apps/tcp_link.h"

namespace labdeck::bench_apps {

namespace {

constexpr FieldSpec tcp_host(std::string_view name, std::string_view label) {
    return {.name = name,
            .label = label,
            .preset = R"("127.0.0.1")",
            .help = "an address, or localhost; of transportMode Tcp"};
}
constexpr FieldSpec tcp_port(std::string_view name, std::string_view label, std::string_view preset) {
    return {.name = name,
            .label = label,
            .type = FieldType::integer,
            .preset = preset,
            .min = 1,
            .max = 65'535,
            .help = "of transportMode Tcp"};
}

constexpr std::array<FieldSpec, 15> settings_fields = {{
    {.name = "plcPort",
     .label = "PLC port",
     .required = true,
     .preset = R"(".labdeck/dev/plc-bridge")",
     .path = true},
    {.name = "blePort",
     .label = "BLE port",
     .required = true,
     .preset = R"(".labdeck/dev/ble-bridge")",
     .path = true},
    {.name = "baud",
     .label = "Baud rate",
     .type = FieldType::integer,
     .preset = "115200",
     .min = 50,
     .max = 12'000'000,
     .unit = "Bd",
     .help = "of both ports"},
    {.name = "transportMode",
     .label = "Transport",
     .type = FieldType::choice,
     .preset = R"("Com")",
     .choices = "Com|Tcp",
     .help = "serial ports, or TCP connections that carry the same bytes"},
    tcp_host("plcHost", "PLC host"),
    tcp_port("plcTcpPort", "PLC TCP port", "5020"),
    tcp_host("bleHost", "BLE host"),
    tcp_port("bleTcpPort", "BLE TCP port", "5021"),
    {.name = "unit", .label = "Modbus unit", .type = FieldType::integer, .preset = "1", .min = 1, .max = 247},
    {.name = "pollMs",
     .label = "Poll the PLC every",
     .type = FieldType::integer,
     .preset = "50",
     .min = 1,
     .max = 60'000,
     .unit = "ms"},
    {.name = "timeoutMs",
     .label = "Wait for an answer",
     .type = FieldType::integer,
     .preset = "200",
     .min = 5,
     .max = 60'000,
     .unit = "ms"},
    {.name = "retries", .label = "Retries", .type = FieldType::integer, .preset = "2", .min = 0, .max = 20},
    {.name = "autoPair",
     .label = "Connect by itself",
     .type = FieldType::boolean,
     .preset = "true",
     .help = "whenever the BLE module advertises"},
    {.name = "stationSocket",
     .label = "Socket for the station",
     .preset = R"(".labdeck/bridge.sock")",
     .help = "where the acceptance station finds the bridge; empty for none",
     .path = true},
    {.name = "autoStart", .label = "Start by itself", .type = FieldType::boolean, .preset = "false"},
}};

constexpr std::array<FieldSpec, 1> send_args = {{
    {.name = "data", .label = "Data", .required = true, .help = "text, at most 244 bytes"},
}};
constexpr ActionSpec pair_spec{.name = "pair",
                               .label = "Pair",
                               .timeout_ms = 15'000,
                               .help = "Waits for the BLE module to advertise and connects to it."};
constexpr ActionSpec send_spec{.name = "send",
                               .label = "Send",
                               .args = send_args,
                               .timeout_ms = 5000,
                               .help = "Writes to the BLE module and waits for its acknowledgement."};
constexpr ActionSpec reset_spec{
    .name = "reset_counters", .label = "Reset counters", .help = "Counts and round-trip times begin anew."};

constexpr AppIdentity bridge_identity{
    .id = "bridge", .title = "Test Fixture Bridge", .model = ProcessModel::process};

constexpr std::int64_t record_line_ns = 450'000'000;
constexpr int notes_a_second_max = 3;

bool over_tcp(const AppConfig::Values& settings) {
    return settings.text("transportMode") == "Tcp";
}

/// TCP has none.
std::uint32_t baud_of(const AppConfig::Values& settings) {
    return over_tcp(settings) ? 0 : static_cast<std::uint32_t>(settings.integer("baud"));
}

int tcp_port_of(const AppConfig::Values& settings, const std::string& side) {
    return static_cast<int>(settings.integer(side + "TcpPort"));
}

/// As the status has it, of the PLC's side or the BLE module's.
std::string line_name(const AppConfig::Values& settings, const std::string& side) {
    if (!over_tcp(settings)) return settings.text(side + "Port");
    return fmt::format("{}:{}", settings.text(side + "Host"), tcp_port_of(settings, side));
}

std::unique_ptr<Link> make_link(io::Reactor& reactor, const AppConfig& config,
                                const AppConfig::Values& settings, const std::string& side,
                                Link::Handler handler) {
    if (over_tcp(settings)) {
        return std::make_unique<TcpLink>(reactor, settings.text(side + "Host"), tcp_port_of(settings, side),
                                         std::move(handler));
    }
    const std::string name = settings.text(side + "Port");
    return std::make_unique<PortLink>(reactor, name, config.resolved(name), baud_of(settings),
                                      std::move(handler));
}

/// What is no address is the settings' fault.
Result<> opened(Link& link) {
    Result<> done = link.open();
    if (!done && done.error().code == Code::bad_arg) done.error().code = Code::config_invalid;
    return done;
}

double ms(std::int64_t ns) {
    return static_cast<double>(ns / 1000) / 1000;
}

Json round_trips_json(const RoundTrips& trips) {
    const RoundTrips::Summary summary = trips.summary();
    return {{"count", summary.count},
            {"lastMs", ms(trips.last_ns())},
            {"p50Ms", ms(summary.p50_ns)},
            {"p99Ms", ms(summary.p99_ns)},
            {"maxMs", ms(summary.max_ns)}};
}

Json record_json(const BridgeRecord& record) {
    const auto& in = record.inputs;
    return {{"sequence", record.sequence},
            {"time", rfc3339(wall_of(record.time))},
            {"railsMv", {in[0], in[1], in[2], in[3], in[4]}},
            {"currentsMa", {in[10], in[11], in[12]}},
            {"temperaturesC", {in[20] / 10.0, in[21] / 10.0}},
            {"cycle", in[30]},
            {"coils", record.coils},
            {"linked", record.linked},
            {"rssi", record.rssi_dbm},
            {"battery", record.battery_percent},
            {"notifications", record.notifications},
            {"notificationsLost", record.notifications_lost},
            {"roundTripMs", record.round_trip_ns < 0 ? Json(nullptr) : Json(ms(record.round_trip_ns))}};
}

}  // namespace

BridgeApp::BridgeApp(const AppContext& context)
    : BenchApp(bridge_identity, context, settings_fields), timer_(context.reactor, [this] { pump(); }) {
    add_slow_action(pair_spec, Needs::running, [this](const Json&, const JobHandle& job) { pair(job); });
    add_slow_action(send_spec, Needs::running,
                    [this](const Json& args, const JobHandle& job) { send(args, job); });
    add_action(reset_spec, Needs::running, [this](const Json&) -> Result<Json> {
        machine_->reset_counters();
        told_ = {};
        return Json::object();
    });
}

BridgeApp::~BridgeApp() {
    BridgeApp::stop();
}

Result<> BridgeApp::start(const AppConfig::Values& settings) {
    transport_ = settings.text("transportMode");
    baud_ = baud_of(settings);
    auto plc_port = make_plc_port(settings);
    auto ble_port = make_ble_port(settings);
    LD_TRY(opened(*plc_port));
    LD_TRY(opened(*ble_port));
    BridgeMachine::Settings wanted;
    wanted.unit = static_cast<std::uint8_t>(settings.integer("unit"));
    wanted.poll_ns = settings.integer("pollMs") * 1'000'000;
    wanted.timeout_ns = settings.integer("timeoutMs") * 1'000'000;
    wanted.retries_max = static_cast<int>(settings.integer("retries"));
    wanted.keep_linked = settings.flag("autoPair");
    const MonoTime now = mono_now();
    machine_ = std::make_unique<BridgeMachine>(wanted, now);
    machine_->plc_port(plc_port->is_open(), now);
    machine_->ble_port(ble_port->is_open(), now);
    plc_tap_ = std::make_unique<RtuTap>([this](const RtuRecord& record) {
        if (record.side == RtuSide::response) last_exchange_ = describe_rtu(record.side, record.frame);
    });
    plc_port_ = std::move(plc_port);
    ble_port_ = std::move(ble_port);
    told_ = {};
    next_record_line_ = now;
    listen_for_station(settings);
    pump();
    return {};
}

/// A bridge that no station can reach is still a bridge: it runs, and says so.
void BridgeApp::listen_for_station(const AppConfig::Values& settings) {
    station_error_.clear();
    const std::string socket = settings.text("stationSocket");
    if (socket.empty()) return;
    auto server = BridgeFeedServer::start(
        reactor(), config().resolved(socket), boot_id(),
        {[this](const BridgeRequest& request) { station_asked(request); },
         [this](bool there, const std::string& why) {
             log(LogLevel::info, there ? "station connected" : fmt::format("station gone why=\"{}\"", why));
             if (!there) machine_->wish_link(LinkWish::by_settings);
             pump();
         }});
    if (server) {
        station_ = std::move(*server);
    } else {
        station_error_ = server.error().message;
        log(LogLevel::warning, "no station can connect: " + station_error_);
    }
}

void BridgeApp::station_asked(const BridgeRequest& request) {
    if (request.kind == BridgeRequest::Kind::trip) {
        // A station that asks for more than fits gets no answer, and judges that.
        if (const auto asked = machine_->ask_trip(request.id, mono_now()); !asked) {
            log(LogLevel::warning, "station: " + asked.error().message);
        }
    } else {
        machine_->wish_link(link_wish_of(request.kind));
    }
    pump();
}

std::unique_ptr<Link> BridgeApp::make_plc_port(const AppConfig::Values& settings) {
    return make_link(reactor(), config(), settings, "plc",
                     {[this](ByteView bytes, MonoTime when) {
                          plc_tap_->feed(RtuSide::response, bytes, when);
                          machine_->plc_received(bytes, when);
                          pump();
                      },
                      [this](bool open, const std::string& why) {
                          machine_->plc_port(open, mono_now());
                          port_changed(*plc_port_, open, why);
                      }});
}

std::unique_ptr<Link> BridgeApp::make_ble_port(const AppConfig::Values& settings) {
    return make_link(reactor(), config(), settings, "ble",
                     {[this](ByteView bytes, MonoTime when) {
                          machine_->ble_received(bytes, when);
                          pump();
                      },
                      [this](bool open, const std::string& why) {
                          machine_->ble_port(open, mono_now());
                          port_changed(*ble_port_, open, why);
                      }});
}

void BridgeApp::port_changed(const Link& port, bool open, const std::string& why) {
    log(open ? LogLevel::info : LogLevel::error,
        open ? fmt::format("port back port={}", port.name())
             : fmt::format("port lost port={} why=\"{}\"", port.name(), why));
    std::string error;
    for (const Link* one : {plc_port_.get(), ble_port_.get()}) {
        if (one->is_open()) continue;
        if (!error.empty()) error += "; ";
        error += fmt::format("port {} lost: {}; trying again each second", one->name(),
                             one == &port ? why : "not back yet");
    }
    set_error(std::move(error));
    // From a later round: this may be called from within a pump().
    timer_.set(mono_now());
}

void BridgeApp::stop() {
    timer_.cancel();
    const Error stopped{Code::action_failed, "bridge was stopped", 0, {}};
    if (const JobHandle job = std::exchange(pairing_, nullptr)) job->finish(fail(stopped));
    for (const auto& [sequence, job] : std::exchange(writing_, {})) job->finish(fail(stopped));
    station_.reset();
    plc_port_.reset();
    ble_port_.reset();
    plc_tap_.reset();
    machine_.reset();
    last_exchange_.clear();
}

void BridgeApp::pair(const JobHandle& job) {
    if (pairing_) return job->finish(fail(Code::busy, "bridge is pairing already: " + pairing_->id()));
    pairing_ = job;
    job->print("waiting for an advertisement\n");
    job->on_give_up([this](JobState) {
        pairing_.reset();
        if (machine_) machine_->stop_pairing();
    });
    machine_->pair(mono_now());
    pump();
}

void BridgeApp::send(const Json& args, const JobHandle& job) {
    const auto& data = args.at("data").get_ref<const std::string&>();
    if (data.size() > ble_data_bytes_max) {
        return job->finish(fail(Code::bad_arg,
                                fmt::format("{} bytes are more than {}", data.size(), ble_data_bytes_max),
                                R"({"key":"args.data"})"));
    }
    const Result<std::uint16_t> sequence = machine_->send(as_bytes(data), mono_now());
    if (!sequence) return job->finish(fail(sequence.error()));
    writing_[*sequence] = job;
    job->on_give_up([this, sequence = *sequence](JobState) { writing_.erase(sequence); });
    pump();
}

void BridgeApp::pump() {
    const MonoTime now = mono_now();
    machine_->advance(now);
    const Bytes to_plc = machine_->take_plc_output();
    plc_tap_->feed(RtuSide::request, to_plc, now);
    plc_port_->send(to_plc);
    ble_port_->send(machine_->take_ble_output());
    const std::vector<BridgeRecord> records = machine_->take_records();
    const std::vector<BridgeMachine::TripResult> trips = machine_->take_trip_results();
    for (const BridgeRecord& record : records) log_record(record);
    MonoTime next = machine_->next_event();
    if (station_) {
        station_->tell(*machine_, records, trips, now);
        next = std::min(next, station_->next_event());
    }
    log_notes();
    settle_jobs();
    timer_.set(next);
}

void BridgeApp::settle_jobs() {
    for (const BridgeMachine::WriteResult& result : machine_->take_write_results()) {
        const auto found = writing_.find(result.sequence);
        if (found == writing_.end()) continue;
        const JobHandle job = found->second;
        writing_.erase(found);
        if (result.timed_out) {
            job->finish(fail(Code::action_failed, "the BLE module did not acknowledge"));
        } else if (!result.taken) {
            job->finish(fail(Code::action_failed, "the BLE module refused the write: it is not connected"));
        } else {
            job->finish(Json{{"sequence", result.sequence}, {"roundTripMs", ms(result.round_trip_ns)}});
        }
    }
    if (!pairing_ || machine_->link() != BleLink::connected) return;
    const JobHandle job = std::exchange(pairing_, nullptr);
    job->print("connected\n");
    job->finish(Json{{"link", "connected"}, {"rssi", machine_->last_record().rssi_dbm}});
}

void BridgeApp::log_notes() {
    for (const BridgeMachine::Note& note : machine_->take_notes()) {
        if (++notes_this_second_ <= notes_a_second_max)
            log(note.warning ? LogLevel::warning : LogLevel::info, note.text);
        status_changed();
    }
}

void BridgeApp::log_record(const BridgeRecord& record) {
    if (record.time < next_record_line_) return;
    next_record_line_ = {record.time.ns + record_line_ns};
    log(LogLevel::info,
        fmt::format(
            "record sequence={} rail12v={} current={} temperature={:.1f} coils={} rssi={}{}", record.sequence,
            record.inputs[2], record.inputs[10], record.inputs[20] / 10.0, record.coils, record.rssi_dbm,
            record.round_trip_ns < 0 ? "" : fmt::format(" roundTripMs={:.3f}", ms(record.round_trip_ns))));
}

void BridgeApp::on_second() {
    notes_this_second_ = 0;
    const BridgeMachine::Counters& now = machine_->counters();
    const std::uint64_t trouble = now.timeouts - told_.timeouts + now.crc_errors - told_.crc_errors +
                                  now.exceptions - told_.exceptions + now.notifications_lost -
                                  told_.notifications_lost;
    const RoundTrips::Summary trips = machine_->plc_round_trips().summary();
    log(trouble > 0 ? LogLevel::warning : LogLevel::info,
        fmt::format("last second records={} notifications={} timeouts={} retries={} crcErrors={} lost={} "
                    "p50Ms={:.3f} "
                    "p99Ms={:.3f}",
                    now.records - told_.records, now.notifications - told_.notifications,
                    now.timeouts - told_.timeouts, now.retries - told_.retries,
                    now.crc_errors - told_.crc_errors, now.notifications_lost - told_.notifications_lost,
                    ms(trips.p50_ns), ms(trips.p99_ns)));
    told_ = now;
}

std::vector<PortTraffic> BridgeApp::traffic() const {
    if (!machine_) {
        const AppConfig::Values settings = config().read();
        const std::uint32_t baud = baud_of(settings);
        return {{line_name(settings, "plc"), false, baud}, {line_name(settings, "ble"), false, baud}};
    }
    const BridgeMachine::Counters& counters = machine_->counters();
    const Link::Counters& plc = plc_port_->counters();
    const Link::Counters& ble = ble_port_->counters();
    return {{plc_port_->name(), plc_port_->is_open(), baud_, plc.rx_bytes, plc.tx_bytes, counters.answers,
             counters.requests, counters.crc_errors + counters.timeouts + plc.losses + plc.tx_dropped_bytes},
            {ble_port_->name(), ble_port_->is_open(), baud_, ble.rx_bytes, ble.tx_bytes,
             counters.notifications + counters.advertisements + counters.acknowledgements,
             counters.writes + counters.links, counters.ble_bad_frames + ble.losses + ble.tx_dropped_bytes}};
}

void BridgeApp::describe(Json& status) const {
    status["transportMode"] = machine_ ? transport_ : config().read().text("transportMode");
    status["profile"] = status["transportMode"];
    status["plcPort"] = status["ports"][0]["port"];
    status["blePort"] = status["ports"][1]["port"];
    describe_plc(status);
    describe_ble(status);
    describe_station(status);
    const bool any = machine_ && machine_->last_record().sequence > 0;
    status["lastRecord"] = any ? record_json(machine_->last_record()) : Json(nullptr);
}

void BridgeApp::describe_plc(Json& status) const {
    const BridgeMachine::Counters none;
    const BridgeMachine::Counters& counters = machine_ ? machine_->counters() : none;
    status["plcAnswers"] = machine_ && machine_->plc_answers();
    status["records"] = counters.records;
    status["requests"] = counters.requests;
    status["answers"] = counters.answers;
    status["exceptions"] = counters.exceptions;
    status["timeouts"] = counters.timeouts;
    status["retries"] = counters.retries;
    status["crcErrors"] = counters.crc_errors;
    status["strayFrames"] = counters.stray_frames;
    status["failedPolls"] = counters.failed_polls;
    status["roundTrip"] = round_trips_json(machine_ ? machine_->plc_round_trips() : RoundTrips{1});
    status["lastExchange"] = last_exchange_;
}

void BridgeApp::describe_ble(Json& status) const {
    const BridgeMachine::Counters none;
    const BridgeMachine::Counters& counters = machine_ ? machine_->counters() : none;
    status["link"] = ble_link_name(machine_ ? machine_->link() : BleLink::down);
    status["notifications"] = counters.notifications;
    status["notificationBytes"] = counters.notification_bytes;
    status["losses"] = counters.notifications_lost;
    status["linkLosses"] = counters.link_losses;
    status["links"] = counters.links;
    status["writes"] = counters.writes;
    status["acknowledgements"] = counters.acknowledgements;
    status["badFrames"] = counters.ble_bad_frames;
    status["linkHeld"] = machine_ && machine_->link_held();
    status["rssi"] = machine_ && counters.radio_reports > 0 ? Json(machine_->rssi_dbm()) : Json(nullptr);
    status["battery"] =
        machine_ && counters.radio_reports > 0 ? Json(machine_->battery_percent()) : Json(nullptr);
    status["writeRoundTrip"] = round_trips_json(machine_ ? machine_->ble_round_trips() : RoundTrips{1});
}

void BridgeApp::describe_station(Json& status) const {
    const BridgeFeedServer::Counters counters =
        station_ ? station_->counters() : BridgeFeedServer::Counters{};
    status["station"] = {{"listening", station_ != nullptr}, {"connected", station_ && station_->connected()},
                         {"reports", counters.reports},      {"requests", counters.requests},
                         {"badLines", counters.bad_lines},   {"error", station_error_}};
}

}  // namespace labdeck::bench_apps
