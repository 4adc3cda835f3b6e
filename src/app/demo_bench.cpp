#include "app/demo_bench.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <span>

#include "assets.h"
#include "hub/workspace.h"

namespace labdeck::app {

namespace fs = std::filesystem;

Result<> write_demo_bench(const std::string& root) {
    std::error_code failed;
    fs::create_directories(root + "/config", failed);
    if (failed) return fail(os_error_value("make " + root, failed.value()));
    static constexpr std::array<std::string_view, 4> files = {
        "labdeck.json", "config/plc-simulator.json", "config/ble-simulator.json", "config/bridge.json"};
    for (const std::string_view file : files) {
        const fs::path path = fs::path(root) / file;
        if (fs::exists(path, failed)) continue;
        const std::span<const std::byte> bytes = assets::find(fmt::format("assets/demo/{}", file));
        if (bytes.empty()) return fail(Code::internal, fmt::format("the program lacks assets/demo/{}", file));
        std::ofstream out(path, std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        out.close();
        if (!out) return os_error("write " + path.string());
    }
    return {};
}

std::string demo_workspace() {
    return hub::data_folder() + "/demo";
}

}  // namespace labdeck::app
