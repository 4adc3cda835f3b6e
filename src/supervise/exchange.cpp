#include "supervise/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/id.h"
#include "contract/secret_names.h"
#include "supervise/secret_mask.h"

namespace labdeck::supervise {

namespace {

constexpr std::string_view imported_suffix = " (imported)";
constexpr std::size_t name_bytes_max = 256;

enum class Under : bool { plain_key, secret_key };

Under under(Under above, std::string_view key) {
    return above == Under::secret_key || contract::looks_secret(key) ? Under::secret_key : Under::plain_key;
}

bool is_hidden(const Json& value) {
    return value == Json{{"secret", true}};
}

/// Puts {"secret": true} in the place of every string below a key that looks secret.
void hide_secrets(Json& value, Under above = Under::plain_key) {
    if (value.is_object()) {
        for (const auto& [key, inner] : value.items()) hide_secrets(inner, under(above, key));
    } else if (value.is_array()) {
        for (Json& inner : value) hide_secrets(inner, above);
    } else if (value.is_string() && above == Under::secret_key) {
        value = Json{{"secret", true}};
    }
}

/// Undoes that, with the strings that stand at the same places of `stored`. What looks secret may be another
/// matter to the program that wrote the document, so the mark alone counts.
void keep_secrets(Json& value, const Json& stored) {
    if (is_hidden(value)) {
        if (stored.is_string()) value = stored;
    } else if (value.is_object() && stored.is_object()) {
        for (const auto& [key, inner] : value.items()) {
            const auto found = stored.find(key);
            if (found != stored.end()) keep_secrets(inner, *found);
        }
    } else if (value.is_array() && stored.is_array() && value.size() == stored.size()) {
        for (std::size_t i = 0; i < value.size(); ++i) keep_secrets(value[i], stored[i]);
    }
}

/// A record with the stored one's secrets. What both were made of was checked, so what is made of them is
/// right.
template <typename Record, typename Read>
Record with_secrets(const Record& incoming, const Record& stored, Read read) {
    Json json = to_json(incoming);
    keep_secrets(json, to_json(stored));
    auto made = read(json);
    LD_ASSERT(made.has_value());
    return std::move(*made);
}

ScriptDefinition with_stored_secrets(const ScriptDefinition& incoming, const ScriptDefinition& stored) {
    return with_secrets(incoming, stored,
                        [](const Json& json) { return script_from_json(json, IdRule::required); });
}

template <typename Record>
std::map<std::string, const Record*, std::less<>> by_id(const std::vector<Record>& records) {
    std::map<std::string, const Record*, std::less<>> found;
    for (const Record& record : records) found.emplace(record.id, &record);
    return found;
}

bool same_content(ScriptDefinition a, ScriptDefinition b) {
    a.profiles.reset();
    b.profiles.reset();
    return a == b;
}

std::string imported_name(std::string name) {
    std::size_t kept = std::min(name.size(), name_bytes_max - imported_suffix.size());
    // Not from within a UTF-8 sequence.
    while (kept > 0 && kept < name.size() && (static_cast<unsigned char>(name[kept]) & 0xc0U) == 0x80U)
        --kept;
    name.resize(kept);
    return name.append(imported_suffix);
}

/// The members of one object text that another would set, change or remove.
std::vector<std::string> changed_members(const Json& before, const Json& after) {
    std::vector<std::string> changed;
    for (const auto& [key, value] : after.items()) {
        const auto found = before.find(key);
        if (found == before.end() || *found != value) changed.push_back(key);
    }
    for (const auto& [key, value] : before.items()) {
        if (!after.contains(key)) changed.push_back(key);
    }
    return changed;
}

Json object_of(const ExtraMembers& text) {
    if (text.empty()) return Json::object();
    auto json = contract::parse_json(text);
    return json ? std::move(*json) : Json::object();
}

ExtraMembers text_of(const Json& object) {
    return object.empty() ? ExtraMembers() : contract::dump_line(object);
}

Json shallow_merged(Json base, const Json& incoming) {
    for (const auto& [key, value] : incoming.items()) base[key] = value;
    return base;
}

struct Plan {
    PersistedData result;
    ImportChanges changes;
};

class Planner {
public:
    Planner(PersistedData stored, PersistedData incoming)
        : stored_(std::move(stored)), incoming_(std::move(incoming)) {}

    Result<Plan> merge() {
        plan_.result = stored_;
        merge_scripts();
        LD_TRY(merge_profiles());
        take_settings(ImportMode::merge);
        if (plan_.result.scripts.size() > PersistedData::records_max ||
            plan_.result.profiles.size() > PersistedData::records_max) {
            return fail(
                contract::bad_arg("data", fmt::format("data: more than {} scripts or profiles would be kept",
                                                      PersistedData::records_max)));
        }
        return std::move(plan_);
    }

    Result<Plan> replace() {
        replace_scripts();
        LD_TRY(replace_profiles());
        take_settings(ImportMode::replace);
        return std::move(plan_);
    }

private:
    void merge_scripts() {
        const auto known = by_id(stored_.scripts);
        for (const ScriptDefinition& incoming : incoming_.scripts) {
            const auto found = known.find(incoming.id);
            ScriptDefinition script =
                found == known.end() ? incoming : with_stored_secrets(incoming, *found->second);
            if (found == known.end()) {
                plan_.changes.scripts_added.push_back(script.id);
            } else if (same_content(script, *found->second)) {
                plan_.changes.scripts_skipped.push_back(script.id);
                continue;
            } else {
                script.id = new_uuid();
                script.name = imported_name(std::move(script.name));
                new_ids_.emplace(incoming.id, script.id);
                plan_.changes.scripts_renamed.push_back({incoming.id, script.id, script.name});
            }
            plan_.result.scripts.push_back(std::move(script));
        }
    }

    Result<> merge_profiles() {
        const auto scripts = by_id(plan_.result.scripts);
        for (std::size_t i = 0; i < incoming_.profiles.size(); ++i) {
            Profile incoming = incoming_.profiles[i];
            LD_TRY(check_references(incoming, i, scripts));
            for (std::string& id : incoming.script_ids) {
                if (const auto renamed = new_ids_.find(id); renamed != new_ids_.end()) id = renamed->second;
            }
            auto& profiles = plan_.result.profiles;
            const auto stored = std::find_if(profiles.begin(), profiles.end(),
                                             [&](const Profile& one) { return one.id == incoming.id; });
            if (stored == profiles.end()) {
                plan_.changes.profiles_added.push_back(incoming.id);
                profiles.push_back(std::move(incoming));
            } else {
                join(*stored, incoming);
            }
        }
        return {};
    }

    void join(Profile& stored, const Profile& incoming) {
        const std::size_t before = stored.script_ids.size();
        for (const std::string& id : incoming.script_ids) {
            if (std::find(stored.script_ids.begin(), stored.script_ids.end(), id) == stored.script_ids.end())
                stored.script_ids.push_back(id);
        }
        auto& list = stored.script_ids.size() == before ? plan_.changes.profiles_skipped
                                                        : plan_.changes.profiles_changed;
        list.push_back(stored.id);
    }

    void replace_scripts() {
        const auto known = by_id(stored_.scripts);
        for (const ScriptDefinition& incoming : incoming_.scripts) {
            const auto found = known.find(incoming.id);
            if (found == known.end()) {
                plan_.changes.scripts_added.push_back(incoming.id);
                plan_.result.scripts.push_back(incoming);
                continue;
            }
            plan_.result.scripts.push_back(with_stored_secrets(incoming, *found->second));
            const bool same = same_content(plan_.result.scripts.back(), *found->second);
            (same ? plan_.changes.scripts_skipped : plan_.changes.scripts_replaced).push_back(incoming.id);
        }
        const auto kept = by_id(incoming_.scripts);
        for (const ScriptDefinition& script : stored_.scripts) {
            if (!kept.contains(script.id)) plan_.changes.scripts_removed.push_back(script.id);
        }
    }

    Result<> replace_profiles() {
        const auto scripts = by_id(plan_.result.scripts);
        const auto known = by_id(stored_.profiles);
        for (std::size_t i = 0; i < incoming_.profiles.size(); ++i) {
            const Profile& incoming = incoming_.profiles[i];
            LD_TRY(check_references(incoming, i, scripts));
            const auto found = known.find(incoming.id);
            if (found == known.end()) {
                plan_.changes.profiles_added.push_back(incoming.id);
                plan_.result.profiles.push_back(incoming);
                continue;
            }
            plan_.result.profiles.push_back(with_secrets(incoming, *found->second, [](const Json& json) {
                return profile_from_json(json, IdRule::required);
            }));
            const bool same = plan_.result.profiles.back() == *found->second;
            (same ? plan_.changes.profiles_skipped : plan_.changes.profiles_changed).push_back(incoming.id);
        }
        const auto kept = by_id(incoming_.profiles);
        for (const Profile& profile : stored_.profiles) {
            if (!kept.contains(profile.id)) plan_.changes.profiles_removed.push_back(profile.id);
        }
        return {};
    }

    static Result<> check_references(
        const Profile& profile, std::size_t index,
        const std::map<std::string, const ScriptDefinition*, std::less<>>& scripts) {
        for (std::size_t i = 0; i < profile.script_ids.size(); ++i) {
            if (scripts.contains(profile.script_ids[i])) continue;
            const std::string key = fmt::format("data.profiles[{}].scriptIds[{}]", index, i);
            Error error = contract::bad_arg(
                key, fmt::format("{}: there is no script with the id {}", key, profile.script_ids[i]));
            error.code = Code::not_found;
            return fail(std::move(error));
        }
        return {};
    }

    void take_settings(ImportMode mode) {
        const Json before = to_json(stored_.settings);
        Json incoming = to_json(incoming_.settings);
        keep_secrets(incoming, before);
        const Json after = mode == ImportMode::merge ? shallow_merged(before, incoming) : incoming;
        plan_.changes.settings_changed = changed_members(before, after);
        auto settings = settings_from_json(after);
        LD_ASSERT(settings.has_value());
        plan_.result.settings = std::move(*settings);

        const Json extra_before = object_of(stored_.extra);
        Json extra = object_of(incoming_.extra);
        keep_secrets(extra, extra_before);
        plan_.result.extra = text_of(mode == ImportMode::merge ? shallow_merged(extra_before, extra) : extra);
    }

    const PersistedData stored_, incoming_;
    std::map<std::string, std::string> new_ids_;
    Plan plan_;
};

Result<Plan> plan_import(const Catalog& catalog, const Json& data, ImportMode mode) {
    PersistedData incoming = LD_TRY(data_from_json(data, "data"));
    Planner planner(LD_TRY(catalog.everything()), std::move(incoming));
    return mode == ImportMode::merge ? planner.merge() : planner.replace();
}

}  // namespace

Result<ImportMode> import_mode_from_name(std::string_view name) {
    if (name == "merge") return ImportMode::merge;
    if (name == "replace") return ImportMode::replace;
    return fail(contract::bad_arg("mode", "mode must be one of merge, replace"));
}

Json to_json(const ImportChanges& changes) {
    Json renamed = Json::array();
    for (const ImportChanges::Renamed& one : changes.scripts_renamed)
        renamed.push_back({{"id", one.id}, {"newId", one.new_id}, {"name", one.name}});
    return {{"scripts",
             {{"added", changes.scripts_added},
              {"skipped", changes.scripts_skipped},
              {"replaced", changes.scripts_replaced},
              {"renamed", renamed},
              {"removed", changes.scripts_removed}}},
            {"profiles",
             {{"added", changes.profiles_added},
              {"skipped", changes.profiles_skipped},
              {"changed", changes.profiles_changed},
              {"removed", changes.profiles_removed}}},
            {"settings", {{"changed", changes.settings_changed}}}};
}

Result<Json> export_data(const Catalog& catalog) {
    Json data = to_json(LD_TRY(catalog.everything()));
    hide_secrets(data);
    return data;
}

Result<ImportChanges> preview_import(const Catalog& catalog, const Json& data, ImportMode mode) {
    return LD_TRY(plan_import(catalog, data, mode)).changes;
}

Result<ImportChanges> import_data(Catalog& catalog, const Json& data, ImportMode mode) {
    Plan plan = LD_TRY(plan_import(catalog, data, mode));
    LD_TRY(catalog.replace_everything(plan.result));
    return std::move(plan.changes);
}

}  // namespace labdeck::supervise
