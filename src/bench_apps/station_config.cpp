#include "bench_apps/station_config.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace labdeck::bench_apps {

namespace {

constexpr FieldSpec millivolts(std::string_view name, std::string_view label, std::string_view preset) {
    return {.name = name,
            .label = label,
            .type = FieldType::number,
            .preset = preset,
            .min = 0,
            .max = 65'535,
            .unit = "mV"};
}
constexpr FieldSpec milliamperes(std::string_view name, std::string_view label, std::string_view preset) {
    FieldSpec field = millivolts(name, label, preset);
    field.unit = "mA";
    return field;
}
constexpr FieldSpec duration(std::string_view name, std::string_view label, std::string_view preset,
                             double min, double max, std::string_view unit, std::string_view help) {
    return {.name = name,
            .label = label,
            .type = FieldType::number,
            .preset = preset,
            .min = min,
            .max = max,
            .unit = unit,
            .help = help};
}

constexpr std::array<FieldSpec, 32> fields = {{
    {.name = "bridgeSocket",
     .label = "Socket of the bridge",
     .required = true,
     .preset = R"(".labdeck/bridge.sock")",
     .help = "the bridge's stationSocket",
     .path = true},
    {.name = "resultsFolder",
     .label = "Folder for results",
     .required = true,
     .preset = R"("results")",
     .help = "one JSON, CSV and JUnit XML file for each run",
     .path = true},
    {.name = "autoStart",
     .label = "Start by itself",
     .type = FieldType::boolean,
     .preset = "false",
     .help = "connects to the bridge; runs begin when they are asked for"},
    {.name = "samples",
     .label = "Records for rails and currents",
     .type = FieldType::integer,
     .preset = "20",
     .min = 1,
     .max = 100'000,
     .help = "in a row, without a hole"},
    duration("sampleSeconds", "Look for them at most", "5", 0.1, 3600, "s", ""),
    millivolts("rail0Min", "Rail 0 from", "3135"),
    millivolts("rail0Max", "Rail 0 to", "3465"),
    millivolts("rail1Min", "Rail 1 from", "4750"),
    millivolts("rail1Max", "Rail 1 to", "5250"),
    millivolts("rail2Min", "Rail 2 from", "11400"),
    millivolts("rail2Max", "Rail 2 to", "12600"),
    millivolts("rail3Min", "Rail 3 from", "1710"),
    millivolts("rail3Max", "Rail 3 to", "1890"),
    millivolts("rail4Min", "Rail 4 from", "22800"),
    millivolts("rail4Max", "Rail 4 to", "25200"),
    milliamperes("current10Min", "Current 10 from", "50"),
    milliamperes("current10Max", "Current 10 to", "600"),
    milliamperes("current11Min", "Current 11 from", "20"),
    milliamperes("current11Max", "Current 11 to", "300"),
    milliamperes("current12Min", "Current 12 from", "10"),
    milliamperes("current12Max", "Current 12 to", "200"),
    duration("advertiseSeconds", "Advertised within", "2", 0.1, 60, "s", "after the link was ended"),
    duration("connectSeconds", "Connected within", "2", 0.1, 60, "s", "after the link was let be made"),
    {.name = "batteryMin",
     .label = "Battery from",
     .type = FieldType::number,
     .preset = "20",
     .min = 0,
     .max = 100,
     .unit = "%"},
    duration("throughputSeconds", "Measure the throughput for", "3", 0.1, 3600, "s", ""),
    {.name = "throughputMin",
     .label = "Notification throughput from",
     .type = FieldType::number,
     .preset = "500",
     .min = 0,
     .max = 10'000'000,
     .unit = "B/s",
     .help = "data bytes of notifications"},
    {.name = "throughputMax",
     .label = "Notification throughput to",
     .type = FieldType::number,
     .preset = "10000000",
     .min = 0,
     .max = 10'000'000,
     .unit = "B/s"},
    {.name = "roundTrips",
     .label = "Modbus round trips",
     .type = FieldType::integer,
     .preset = "100",
     .min = 1,
     .max = 10'000},
    duration("p50MaxMs", "Round trip p50 to", "20", 0.001, 60'000, "ms", ""),
    duration("p99MaxMs", "Round trip p99 to", "80", 0.001, 60'000, "ms", ""),
    duration("bridgeTimeoutSeconds", "Wait for the bridge", "5", 0.1, 600, "s",
             "without a word of it, a run ends incomplete"),
    duration("overnightPauseSeconds", "Pause between runs overnight", "60", 0, 86'400, "s", ""),
}};

Result<StepLimits> limits_of(const AppConfig::Values& values, const std::string& base) {
    const StepLimits limits{values.number(base + "Min"), values.number(base + "Max")};
    if (*limits.lower <= *limits.upper) return limits;
    return fail(Code::config_invalid,
                fmt::format("{0}Min {1} is above {0}Max {2}", base, *limits.lower, *limits.upper),
                contract::dump_line(Json{{"key", base + "Min"}}));
}

std::int64_t seconds(const AppConfig::Values& values, std::string_view key) {
    return static_cast<std::int64_t>(values.number(key) * 1e9);
}

}  // namespace

std::span<const FieldSpec> station_fields() noexcept {
    return fields;
}

Result<StationMachine::Settings> station_settings(const AppConfig::Values& values) {
    StationMachine::Settings settings;
    settings.samples = static_cast<std::size_t>(values.integer("samples"));
    settings.sample_ns_max = seconds(values, "sampleSeconds");
    for (std::size_t i = 0; i < settings.rails.size(); ++i) {
        settings.rails[i] = LD_TRY(limits_of(values, fmt::format("rail{}", i)));
    }
    for (std::size_t i = 0; i < settings.currents.size(); ++i) {
        settings.currents[i] = LD_TRY(limits_of(values, fmt::format("current{}", 10 + i)));
    }
    settings.advertise_s_max = values.number("advertiseSeconds");
    settings.connect_s_max = values.number("connectSeconds");
    settings.battery_percent_min = values.number("batteryMin");
    settings.throughput_ns = seconds(values, "throughputSeconds");
    settings.throughput = LD_TRY(limits_of(values, "throughput"));
    settings.round_trips = static_cast<std::size_t>(values.integer("roundTrips"));
    settings.p50_ms_max = values.number("p50MaxMs");
    settings.p99_ms_max = values.number("p99MaxMs");
    settings.bridge_timeout_ns = seconds(values, "bridgeTimeoutSeconds");
    return settings;
}

}  // namespace labdeck::bench_apps
