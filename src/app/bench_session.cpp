#include "app/bench_session.h"

#include <cstdlib>
#include <filesystem>

#include "app/demo_bench.h"
#include "app/login_entry.h"
#include "hub/workspace.h"

namespace labdeck::app {

namespace {

Result<std::string> make_temporary_folder() {
    const char* tmp = std::getenv("TMPDIR");
    std::string pattern = std::string(tmp != nullptr && *tmp == '/' ? tmp : "/tmp") + "/labdeck-demo-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) return os_error("make " + pattern);
    return pattern;
}

}  // namespace

Result<std::unique_ptr<BenchSession>> BenchSession::start(const BenchArgs& args, DemoHome home,
                                                          hub::HubOptions options) {
    std::unique_ptr<BenchSession> session(new BenchSession);
    std::string root = args.workspace;
    if (root.empty()) {
        if (!args.demo) {
            root = hub::default_workspace();
        } else if (home == DemoHome::kept) {
            root = demo_workspace();
        } else {
            session->temporary_ = LD_TRY(make_temporary_folder());
            root = session->temporary_;
        }
    }
    if (args.demo) LD_TRY(write_demo_bench(root));
    options.version = LABDECK_VERSION;
    if (home == DemoHome::kept) {
        options.at_login = [program = hub::own_program()](const std::string& bench, const auto& profiles) {
            return keep_login_entry(program, bench, profiles);
        };
    }
    hub::Workspace workspace = LD_TRY(hub::Workspace::open(root));
    session->hub_ = LD_TRY(hub::Hub::start(std::move(workspace), options));
    return session;
}

BenchSession::~BenchSession() {
    hub_.reset();
    std::error_code ignored;  // A leftover in the temporary folder is no reason to fail.
    if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
}

}  // namespace labdeck::app
