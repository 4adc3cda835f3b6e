// simulator_port.h - the line that a simulated device answers on: a COM port, or TCP on this machine.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bench_apps/app_config.h"
#include "bench_apps/link.h"

namespace labdeck::bench_apps {

inline constexpr FieldSpec simulator_transport_field = {
    .name = "transportMode",
    .label = "Transport",
    .type = FieldType::choice,
    .preset = R"("Com")",
    .choices = "Com|Tcp",
    .help = "the COM port, or a TCP port of this machine that carries the same bytes"};
constexpr FieldSpec simulator_tcp_port_field(std::string_view preset) {
    return {.name = "tcpPort",
            .label = "TCP port",
            .type = FieldType::integer,
            .preset = preset,
            .min = 1,
            .max = 65'535,
            .help = "on 127.0.0.1, of transportMode Tcp"};
}

/// As the settings `port`, `transportMode` and `tcpPort` have it.
std::string simulator_port_name(const AppConfig::Values& settings);
/// Not open yet. At the settings' `baud`, which a simulated module keeps to over TCP as well.
std::unique_ptr<Link> make_simulator_port(io::Reactor& reactor, const AppConfig& config,
                                          const AppConfig::Values& settings, Link::Handler handler);

}  // namespace labdeck::bench_apps
