// A provider and nothing else: what the tests start as a child. Usage: bench_apps_provider [WORKSPACE
// [APP...]]
#include "bench_apps/provider.h"

int main(int argc, char** argv) {
    labdeck::bench_apps::ProviderOptions options;
    if (argc > 1) options.workspace = argv[1];
    options.apps.assign(argv + (argc > 2 ? 2 : argc), argv + argc);
    return labdeck::bench_apps::run_provider(options);
}
