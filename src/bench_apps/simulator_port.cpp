#include "bench_apps/simulator_port.h"

#include <fmt/format.h>

#include <utility>

#include "bench_apps/port_link.h"
#include "bench_apps/tcp_link.h"

namespace labdeck::bench_apps {

namespace {

bool over_tcp(const AppConfig::Values& settings) {
    return settings.text("transportMode") == "Tcp";
}

}  // namespace

std::string simulator_port_name(const AppConfig::Values& settings) {
    return over_tcp(settings) ? fmt::format("127.0.0.1:{}", settings.integer("tcpPort"))
                              : settings.text("port");
}

std::unique_ptr<Link> make_simulator_port(io::Reactor& reactor, const AppConfig& config,
                                          const AppConfig::Values& settings, Link::Handler handler) {
    if (over_tcp(settings)) {
        return std::make_unique<TcpServerLink>(reactor, static_cast<int>(settings.integer("tcpPort")),
                                               std::move(handler));
    }
    const std::string name = settings.text("port");
    return std::make_unique<PortLink>(reactor, name, config.resolved(name),
                                      static_cast<std::uint32_t>(settings.integer("baud")),
                                      std::move(handler));
}

}  // namespace labdeck::bench_apps
