// exchange.h - the catalog as one document that can be carried elsewhere, and back.
//
// Export, import, export gives the same bytes. A document holds no secret: a value whose name looks secret
// (contract/secret_names.h) stands in it as {"secret": true}, in env and among settings and members that we
// do not know. On import that keeps the value which is stored under the same id and name, and counts as equal
// to it; where nothing is stored it stays as it is until somebody gives a value. A secret that was written
// into a command or an argument is not found: env is the place for it.
//
// merge    settings: shallow, the incoming wins. A script with a new id is added; one with the same id and
// content
//          is skipped; one with the same id and other content is added under a new id, with " (imported)"
//          after its name, and what is stored stays. A profile with a new id is added; one with the same id
//          joins its scriptIds to the stored one's, which keeps its name.
// replace  everything is as the document says, and what it does not name is gone.
//
// The profiles' scriptIds count alone; what scripts say about profiles does not. Both modes check all before
// they change anything, and change it in one transaction.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "supervise/catalog.h"

namespace labdeck::supervise {

enum class ImportMode : unsigned char { merge, replace };
/// "merge" or "replace"; E_BAD_ARG with key `mode` for anything else.
[[nodiscard]] Result<ImportMode> import_mode_from_name(std::string_view name);

/// What became, or would become, of the document's parts. Ids, except where it says otherwise.
struct ImportChanges {
    struct Renamed {
        std::string id;      ///< In the document.
        std::string new_id;  ///< In the catalog; of a preview, it is another one each time.
        std::string name;    ///< The new one.
        bool operator==(const Renamed&) const = default;
    };
    std::vector<std::string> scripts_added;
    std::vector<std::string> scripts_skipped;   ///< There already, and the same.
    std::vector<std::string> scripts_replaced;  ///< Other content now under the same id.
    std::vector<Renamed> scripts_renamed;
    std::vector<std::string> scripts_removed;
    std::vector<std::string> profiles_added;
    std::vector<std::string> profiles_skipped;
    std::vector<std::string> profiles_changed;
    std::vector<std::string> profiles_removed;
    std::vector<std::string> settings_changed;  ///< Names of members: set, changed or removed.
    bool operator==(const ImportChanges&) const = default;
};
Json to_json(const ImportChanges& changes);

/// The document of data.export.
[[nodiscard]] Result<Json> export_data(const Catalog& catalog);

/// What import_data() would do. `data` is the document, as JSON. Errors are those of data_from_json() with
/// the place "data", and E_NOT_FOUND for a profile that names a script which will not exist.
[[nodiscard]] Result<ImportChanges> preview_import(const Catalog& catalog, const Json& data, ImportMode mode);

/// Carries it out; scripts that run are the caller's to stop.
[[nodiscard]] Result<ImportChanges> import_data(Catalog& catalog, const Json& data, ImportMode mode);

}  // namespace labdeck::supervise
