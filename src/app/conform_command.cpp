// conform: does a provider keep to the contract?
#include <cstdio>

#include "app/commands.h"
#include "conform/run.h"

namespace labdeck::app {

int run_conform(const ConformArgs& args) {
    if (args.command.empty()) {
        std::fputs("labdeck: conform needs a provider's command: labdeck conform -- CMD …\n", stderr);
        return exit_usage;
    }
    conform::Settings settings;
    settings.command = args.command;
    settings.app = args.app;
    settings.slow = args.slow;
    settings.timeout_s = args.timeout_s;
    switch (conform::run(settings, stdout)) {
        case conform::Verdict::conforms:
            return exit_fine;
        case conform::Verdict::fails:
            return exit_error;
        case conform::Verdict::nobody:
            break;
    }
    return exit_nobody;
}

}  // namespace labdeck::app
