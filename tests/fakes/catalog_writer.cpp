// catalog_writer DATABASE FIRST - changes a catalog as fast as it can until it is killed.
//
// Change n, counting from FIRST, puts a script with the id "s<n modulo 20>" and the command "n", and for
// every fifth n a profile "p" with that script alone. A line "n" on stdout says that change n was answered.
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "supervise/catalog.h"

using namespace labdeck;
using namespace labdeck::supervise;

namespace {

bool change(Catalog& catalog, long n) {
    ScriptDefinition script;
    script.id = "s" + std::to_string(n % 20);
    script.name = "script";
    script.command = std::to_string(n);
    // Of some size, so that a change is more than a page.
    script.args = std::vector<std::string>(50, std::string(100, 'a'));
    if (!catalog.upsert_script(script)) return false;
    if (n % 5 != 0) return true;
    Profile profile;
    profile.id = "p";
    profile.name = std::to_string(n);
    profile.script_ids = {script.id};
    return catalog.upsert_profile(profile).has_value();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    auto database = store::Database::open(argv[1], catalog_migrations());
    if (!database) return 3;
    Catalog catalog(*database);
    for (long n = std::atol(argv[2]);; ++n) {
        if (!change(catalog, n)) return 4;
        const std::string line = std::to_string(n) + "\n";
        if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return 5;
    }
}
