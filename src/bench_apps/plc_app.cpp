#include "bench_apps/plc_app.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/assert.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::array<FieldSpec, 8> settings_fields = {{
    {.name = "port",
     .label = "Port",
     .required = true,
     .preset = R"(".labdeck/dev/plc-sim")",
     .help = "the COM port it answers on",
     .path = true},
    {.name = "baud",
     .label = "Baud rate",
     .type = FieldType::integer,
     .preset = "115200",
     .min = 50,
     .max = 12'000'000,
     .unit = "Bd"},
    {.name = "unit",
     .label = "Unit",
     .type = FieldType::integer,
     .preset = "1",
     .min = 1,
     .max = 247,
     .help = "its Modbus address"},
    simulator_transport_field,
    simulator_tcp_port_field("5020"),
    {.name = "seed",
     .label = "Seed",
     .type = FieldType::integer,
     .preset = "1",
     .min = 0,
     .max = 4'294'967'295.0,
     .help = "the same seed gives the same noise and the same faults"},
    {.name = "autoStart", .label = "Start by itself", .type = FieldType::boolean, .preset = "false"},
    {.name = "scenario",
     .label = "Scenario",
     .type = FieldType::choice,
     .preset = R"("idle")",
     .choices = "idle|ramp-up|brown-out|overheat",
     .help = "what it begins with"},
}};

constexpr std::array<FieldSpec, 3> set_register_args = {{
    {.name = "register",
     .label = "Register",
     .type = FieldType::integer,
     .required = true,
     .min = 0,
     .max = 65'535,
     .help = "its address"},
    {.name = "value",
     .label = "Value",
     .type = FieldType::integer,
     .required = true,
     .min = 0,
     .max = 65'535},
    {.name = "bank",
     .label = "Bank",
     .type = FieldType::choice,
     .preset = R"("input")",
     .choices = "input|holding|coil"},
}};
constexpr std::array<FieldSpec, 5> set_waveform_args = {{
    {.name = "register",
     .label = "Input register",
     .type = FieldType::integer,
     .required = true,
     .min = 0,
     .max = 65'535},
    {.name = "kind",
     .label = "Kind",
     .type = FieldType::choice,
     .required = true,
     .choices = "constant|sine|ramp|step|noise"},
    {.name = "amplitude",
     .label = "Amplitude",
     .type = FieldType::number,
     .preset = "0",
     .min = -65'535,
     .max = 65'535},
    {.name = "offset",
     .label = "Offset",
     .type = FieldType::number,
     .preset = "0",
     .min = -65'535,
     .max = 65'535},
    {.name = "periodMs",
     .label = "Period",
     .type = FieldType::integer,
     .preset = "1000",
     .min = 1,
     .max = 86'400'000,
     .unit = "ms"},
}};
constexpr std::array<FieldSpec, 5> inject_fault_args = {{
    {.name = "kind",
     .label = "Kind",
     .type = FieldType::choice,
     .required = true,
     .choices = "crc|silence|delay|exception|lost_byte"},
    {.name = "rate",
     .label = "Rate",
     .type = FieldType::number,
     .preset = "1",
     .min = 0,
     .max = 1,
     .help = "the chance for each answer"},
    {.name = "seconds",
     .label = "Duration",
     .type = FieldType::number,
     .preset = "10",
     .min = 0,
     .max = 86'400,
     .unit = "s",
     .help = "0 ends the faults of this kind"},
    {.name = "delayMs",
     .label = "Delay",
     .type = FieldType::integer,
     .preset = "100",
     .min = 1,
     .max = 60'000,
     .unit = "ms",
     .help = "of a delay"},
    {.name = "code",
     .label = "Exception code",
     .type = FieldType::integer,
     .preset = "4",
     .min = 1,
     .max = 4,
     .help = "of an exception; 4 is a device failure"},
}};
constexpr std::array<FieldSpec, 1> load_scenario_args = {{
    {.name = "name",
     .label = "Scenario",
     .type = FieldType::choice,
     .required = true,
     .choices = "idle|ramp-up|brown-out|overheat"},
}};

constexpr ActionSpec set_register_spec{
    .name = "set_register",
    .label = "Set register",
    .args = set_register_args,
    .help = "Writes one register or coil; an input register keeps the value."};
constexpr ActionSpec set_waveform_spec{.name = "set_waveform",
                                       .label = "Set waveform",
                                       .args = set_waveform_args,
                                       .help = "Has an input register follow a curve from now on."};
constexpr ActionSpec inject_fault_spec{.name = "inject_fault",
                                       .label = "Inject fault",
                                       .args = inject_fault_args,
                                       .help = "Spoils answers for a while."};
constexpr ActionSpec load_scenario_spec{.name = "load_scenario",
                                        .label = "Load scenario",
                                        .args = load_scenario_args,
                                        .help = "Sets all registers to a situation."};

constexpr AppIdentity plc_identity{
    .id = "plc-simulator", .title = "COM Traffic Simulator (PLC)", .model = ProcessModel::hosted_role};

PlcBank bank_of(const Json& args) {
    const auto& name = args.at("bank").get_ref<const std::string&>();
    return name == "holding" ? PlcBank::holding : name == "coil" ? PlcBank::coil : PlcBank::input;
}

}  // namespace

PlcApp::PlcApp(const AppContext& context) : BenchApp(plc_identity, context, settings_fields) {
    add_action(set_register_spec, Needs::running, [this](const Json& args) { return set_register(args); });
    add_action(set_waveform_spec, Needs::running, [this](const Json& args) { return set_waveform(args); });
    add_action(inject_fault_spec, Needs::running, [this](const Json& args) { return inject_fault(args); });
    add_action(load_scenario_spec, Needs::running, [this](const Json& args) { return load_scenario(args); });
}

PlcApp::~PlcApp() {
    PlcApp::stop();
}

Result<> PlcApp::start(const AppConfig::Values& settings) {
    port_name_ = simulator_port_name(settings);
    transport_ = settings.text("transportMode");
    baud_ = static_cast<std::uint32_t>(settings.integer("baud"));
    unit_ = static_cast<int>(settings.integer("unit"));
    const auto unit = static_cast<std::uint8_t>(unit_);
    const MonoTime now = mono_now();
    auto machine =
        std::make_unique<PlcMachine>(unit, static_cast<std::uint64_t>(settings.integer("seed")), now);
    LD_TRY(machine->load_scenario(settings.text("scenario"), now));
    auto listener =
        LD_TRY(ModbusListener::start(reactor(), unit, [this](const Bytes& adu) { handle_request(adu); }));
    auto port = make_simulator_port(
        reactor(), config(), settings,
        Link::Handler{
            [this](ByteView bytes, MonoTime) { lost_bytes_ += bytes.size() - listener_->feed(bytes); },
            [this](bool open, const std::string& why) {
                log(open ? LogLevel::info : LogLevel::error,
                    open ? fmt::format("port back port={}", port_name_)
                         : fmt::format("port lost port={} why=\"{}\"", port_name_, why));
                set_error(open ? ""
                               : fmt::format("port {} lost: {}; trying again each second", port_name_, why));
            }});
    LD_TRY(port->open());
    machine_ = std::move(machine);
    listener_ = std::move(listener);
    port_ = std::move(port);
    lost_bytes_ = 0;
    told_ = {};
    return {};
}

void PlcApp::stop() {
    if (delay_timer_ != 0) reactor().cancel(std::exchange(delay_timer_, 0));
    delayed_.clear();
    listener_.reset();
    port_.reset();
    machine_.reset();
}

void PlcApp::handle_request(const Bytes& adu) {
    auto answer = machine_->answer(adu, mono_now());
    if (answer) send(std::move(*answer));
}

void PlcApp::send(PlcAnswer answer) {
    if (answer.send_at <= mono_now()) return port_->send(answer.bytes);
    delayed_.emplace(answer.send_at, std::move(answer.bytes));
    wait_for_delayed();
}

void PlcApp::wait_for_delayed() {
    if (delay_timer_ != 0) reactor().cancel(std::exchange(delay_timer_, 0));
    if (delayed_.empty()) return;
    delay_timer_ = reactor().after(delayed_.begin()->first.ns - mono_now().ns, [this] {
        delay_timer_ = 0;
        const MonoTime now = mono_now();
        while (!delayed_.empty() && delayed_.begin()->first <= now) {
            port_->send(delayed_.begin()->second);
            delayed_.erase(delayed_.begin());
        }
        wait_for_delayed();
    });
}

Result<Json> PlcApp::set_register(const Json& args) {
    const MonoTime now = mono_now();
    const auto address = args.at("register").get<int>();
    LD_TRY(machine_->set_register(bank_of(args), address, args.at("value").get<int>(), now));
    log(LogLevel::info, fmt::format("set {} {} = {}", args.at("bank").get<std::string>(), address,
                                    args.at("value").get<int>()));
    return args;
}

Result<Json> PlcApp::set_waveform(const Json& args) {
    Waveform waveform;
    LD_ASSERT(wave_kind_of(args.at("kind").get<std::string>(), waveform.kind));
    waveform.amplitude = args.at("amplitude").get<double>();
    waveform.offset = args.at("offset").get<double>();
    waveform.period_ms = args.at("periodMs").get<std::int64_t>();
    LD_TRY(machine_->set_waveform(args.at("register").get<int>(), waveform, mono_now()));
    log(LogLevel::info, fmt::format("waveform register={} kind={}", args.at("register").get<int>(),
                                    wave_kind_name(waveform.kind)));
    return args;
}

Result<Json> PlcApp::inject_fault(const Json& args) {
    Fault fault;
    LD_ASSERT(fault_kind_of(args.at("kind").get<std::string>(), fault.kind));
    fault.rate = args.at("rate").get<double>();
    const auto duration_ns = static_cast<std::int64_t>(args.at("seconds").get<double>() * 1e9);
    fault.until = {mono_now().ns + duration_ns};
    fault.delay_ns = args.at("delayMs").get<std::int64_t>() * 1'000'000;
    fault.exception = static_cast<ModbusException>(args.at("code").get<int>());
    machine_->inject(fault);
    log(LogLevel::warning, fmt::format("fault kind={} rate={} seconds={}", fault_kind_name(fault.kind),
                                       fault.rate, args.at("seconds").get<double>()));
    return args;
}

Result<Json> PlcApp::load_scenario(const Json& args) {
    const auto name = args.at("name").get<std::string>();
    LD_TRY(machine_->load_scenario(name, mono_now()));
    log(LogLevel::info, fmt::format("scenario name={}", name));
    return args;
}

void PlcApp::on_second() {
    machine_->advance(mono_now());
    const PlcMachine::Counters& now = machine_->counters();
    const bool trouble =
        now.faults != told_.faults || now.bad_crc != told_.bad_crc || now.exceptions != told_.exceptions;
    log(trouble ? LogLevel::warning : LogLevel::info,
        fmt::format("served requests={} answers={} faults={} badCrc={} rail12v={} coils={}{}{}{}",
                    now.requests - told_.requests, now.answers - told_.answers, now.faults - told_.faults,
                    now.bad_crc - told_.bad_crc, machine_->input(2, mono_now()),
                    machine_->coil(0) ? "r" : "-", machine_->coil(1) ? "t" : "-",
                    machine_->coil(2) ? "p" : "-", machine_->coil(3) ? "a" : "-"));
    told_ = now;
}

std::vector<PortTraffic> PlcApp::traffic() const {
    if (!port_) {
        const AppConfig::Values settings = config().read();
        return {{simulator_port_name(settings), false, static_cast<std::uint32_t>(settings.integer("baud"))}};
    }
    const Link::Counters& port = port_->counters();
    const PlcMachine::Counters& machine = machine_->counters();
    return {{port_name_, port_->is_open(), baud_, port.rx_bytes, port.tx_bytes,
             machine.requests + machine.other_unit + machine.bad_crc, machine.answers,
             machine.bad_crc + port.losses + lost_bytes_ + port.tx_dropped_bytes}};
}

void PlcApp::describe(Json& status) const {
    const PlcMachine::Counters none;
    const PlcMachine::Counters& counters = machine_ ? machine_->counters() : none;
    if (machine_) {
        status["profile"] = machine_->scenario();
        status["unit"] = unit_;
        status["transportMode"] = transport_;
    } else {
        const AppConfig::Values settings = config().read();
        status["profile"] = settings.text("scenario");
        status["unit"] = settings.value("unit");
        status["transportMode"] = settings.text("transportMode");
    }
    status["requests"] = counters.requests;
    status["answers"] = counters.answers;
    status["exceptions"] = counters.exceptions;
    status["badCrc"] = counters.bad_crc;
    status["otherUnit"] = counters.other_unit;
    status["faultsApplied"] = counters.faults;
    Json faults = Json::array();
    if (machine_) {
        const MonoTime now = mono_now();
        for (const Fault& fault : machine_->faults()) {
            if (fault.until <= now) continue;
            faults.push_back(
                {{"kind", fault_kind_name(fault.kind)},
                 {"rate", fault.rate},
                 {"secondsLeft", static_cast<double>((fault.until.ns - now.ns) / 100'000'000) / 10},
                 {"applied", fault.applied}});
        }
    }
    status["faults"] = std::move(faults);
    describe_registers(status);
}

void PlcApp::describe_registers(Json& status) const {
    Json& registers = status["registers"] = Json::object();
    if (!machine_) return;
    const MonoTime now = mono_now();
    for (const PlcRegister& one : plc_registers()) {
        const bool coil = one.bank == PlcBank::coil;
        const int value = coil                           ? static_cast<int>(machine_->coil(one.address))
                          : one.bank == PlcBank::holding ? machine_->holding(one.address)
                                                         : machine_->input(one.address, now);
        Json entry = {{"address", one.address}, {"value", value}, {"name", one.name}};
        if (!coil) {
            entry["unit"] = one.unit;
            entry["scale"] = one.scale;
        }
        if (one.bank == PlcBank::input && one.address != PlcMachine::cycle_counter)
            entry["waveform"] = wave_kind_name(machine_->wave_kind(one.address));
        registers[coil ? "coils" : plc_bank_name(one.bank)].push_back(std::move(entry));
    }
}

}  // namespace labdeck::bench_apps
