#include "supervise/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/id.h"
#include "supervise/fields.h"

namespace labdeck::supervise {

namespace {

// A body is the record as JSON, less what the tables say: a script's profiles, a profile's scripts.
constexpr const char* schema_v1 = R"(
    CREATE TABLE script(position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
    CREATE TABLE profile(position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
    CREATE TABLE profile_script(
        profile_id TEXT NOT NULL REFERENCES profile(id) ON DELETE CASCADE,
        script_id TEXT NOT NULL REFERENCES script(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        PRIMARY KEY(profile_id, script_id)) WITHOUT ROWID;
    CREATE INDEX profile_script_by_script ON profile_script(script_id);
    CREATE TABLE supervise_document(name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
)";

using IdsById = std::map<std::string, std::vector<std::string>, std::less<>>;

Error no_such(std::string_view what, std::string_view id, std::string_view key) {
    Error error = contract::bad_arg(key, fmt::format("{}: there is no {} with the id {}", key, what, id));
    error.code = Code::not_found;
    return error;
}

/// Reads a kept body; what the program has written it can read, unless the file was changed by somebody else.
template <typename Record>
Result<Record> read_body(std::string_view body,
                         Result<Record> (*read)(const Json&, IdRule, const std::string&)) {
    auto json = contract::parse_json(body);
    Result<Record> record = json ? read(*json, IdRule::required, {}) : fail(std::move(json).error());
    if (!record)
        return fail(Code::io, fmt::format("a kept record cannot be read: {}", record.error().message));
    return record;
}

std::string script_body(ScriptDefinition script) {
    script.profiles.reset();
    return contract::dump_line(to_json(script));
}

std::string profile_body(Profile profile) {
    profile.script_ids.clear();
    return contract::dump_line(to_json(profile));
}

Result<IdsById> grouped(store::Database& database, std::string_view sql) {
    IdsById groups;
    LD_TRY(database.each(
        sql, {}, [&](const store::Row& row) { groups[std::string(row.text(0))].emplace_back(row.text(1)); }));
    return groups;
}

Result<IdsById> profiles_by_script(store::Database& database) {
    return grouped(database,
                   "SELECT script_id, profile_id FROM profile_script JOIN profile ON profile.id = profile_id "
                   "ORDER BY profile.position");
}

Result<IdsById> scripts_by_profile(store::Database& database) {
    return grouped(database, "SELECT profile_id, script_id FROM profile_script ORDER BY position");
}

Result<std::int64_t> count(store::Database& database, std::string_view sql,
                           std::initializer_list<store::Value> values) {
    std::int64_t found = 0;
    LD_TRY(database.each(sql, values, [&](const store::Row& row) { found = row.integer(0); }));
    return found;
}

Result<bool> has_script(store::Database& database, std::string_view id) {
    return LD_TRY(count(database, "SELECT count(*) FROM script WHERE id = ?", {id})) > 0;
}

Result<bool> has_profile(store::Database& database, std::string_view id) {
    return LD_TRY(count(database, "SELECT count(*) FROM profile WHERE id = ?", {id})) > 0;
}

Result<> check_room(store::Database& database, std::string_view sql, std::string_view what) {
    if (LD_TRY(count(database, sql, {})) < static_cast<std::int64_t>(PersistedData::records_max)) return {};
    return fail(Code::bad_arg, fmt::format("there are {} {} already, the most that are kept",
                                           PersistedData::records_max, what));
}

/// The secrets that `script` gives no value for get the stored one's. One that neither has is refused; one
/// that the stored one lacks as well stays open.
Result<> adopt_secrets(ScriptDefinition& script, const std::optional<ScriptDefinition>& stored) {
    if (!script.env) return {};
    for (auto& [name, value] : *script.env) {
        if (value) continue;
        const bool known = stored && stored->env && stored->env->contains(name);
        if (!known) {
            return fail(
                contract::bad_arg(fmt::format("env.{}", name),
                                  fmt::format("env.{} must have a value: none is stored for it", name)));
        }
        value = stored->env->at(name);
    }
    return {};
}

Result<Json> read_document(store::Database& database, std::string_view name) {
    std::string body = "{}";
    LD_TRY(database.each("SELECT body FROM supervise_document WHERE name = ?", {name},
                         [&](const store::Row& row) { body = row.text(0); }));
    return contract::parse_json(body);
}

Result<> write_document(store::Database& database, std::string_view name, const std::string& body) {
    LD_TRY(
        database.run("INSERT INTO supervise_document(name, body) VALUES(?, ?) "
                     "ON CONFLICT(name) DO UPDATE SET body = excluded.body",
                     {name, std::string_view(body)}));
    return {};
}

}  // namespace

std::span<const store::Migration> catalog_migrations() {
    static const std::vector<store::Migration> steps = {{schema_v1}};
    return steps;
}

Result<std::vector<ScriptDefinition>> Catalog::scripts() const {
    const IdsById memberships = LD_TRY(profiles_by_script(database_));
    std::vector<ScriptDefinition> all;
    Result<> read;
    LD_TRY(database_.each("SELECT body FROM script ORDER BY position", {}, [&](const store::Row& row) {
        if (!read) return;
        auto script = read_body<ScriptDefinition>(row.text(0), script_from_json);
        if (!script) {
            read = fail(std::move(script).error());
            return;
        }
        if (const auto found = memberships.find(script->id); found != memberships.end())
            script->profiles = found->second;
        all.push_back(std::move(*script));
    }));
    LD_TRY(std::move(read));
    return all;
}

Result<ScriptDefinition> Catalog::script(std::string_view id) const {
    std::string body;
    LD_TRY(database_.each("SELECT body FROM script WHERE id = ?", {id},
                          [&](const store::Row& row) { body = row.text(0); }));
    if (body.empty()) return fail(no_such("script", id, "id"));
    auto script = LD_TRY(read_body<ScriptDefinition>(body, script_from_json));
    std::vector<std::string> profiles;
    LD_TRY(
        database_.each("SELECT profile_id FROM profile_script JOIN profile ON profile.id = profile_id "
                       "WHERE script_id = ? ORDER BY profile.position",
                       {id}, [&](const store::Row& row) { profiles.emplace_back(row.text(0)); }));
    if (!profiles.empty()) script.profiles = std::move(profiles);
    return script;
}

Result<ScriptDefinition> Catalog::create_script(ScriptDefinition script) {
    if (script.id.empty()) script.id = new_uuid();
    if (LD_TRY(has_script(database_, script.id)))
        return fail(
            contract::bad_arg("id", fmt::format("id: {} is taken; scripts.upsert changes it", script.id)));
    LD_TRY(adopt_secrets(script, std::nullopt));
    return keep_script(std::move(script));
}

Result<ScriptDefinition> Catalog::upsert_script(ScriptDefinition script) {
    if (script.id.empty()) return fail(contract::bad_arg("id", "missing required key: id"));
    std::optional<ScriptDefinition> stored;
    if (LD_TRY(has_script(database_, script.id))) stored = LD_TRY(this->script(script.id));
    LD_TRY(adopt_secrets(script, stored));
    return keep_script(std::move(script));
}

Result<ScriptDefinition> Catalog::keep_script(ScriptDefinition script) {
    LD_TRY(database_.transact([&]() -> Result<> {
        if (!LD_TRY(has_script(database_, script.id)))
            LD_TRY(check_room(database_, "SELECT count(*) FROM script", "scripts"));
        LD_TRY(put_script(script));
        return set_memberships(script);
    }));
    return this->script(script.id);
}

Result<> Catalog::put_script(const ScriptDefinition& script) {
    const std::string body = script_body(script);
    LD_TRY(database_.run(
        "INSERT INTO script(id, body) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET body = excluded.body",
        {std::string_view(script.id), std::string_view(body)}));
    return {};
}

/// Makes the profiles agree with what the script says of them, if it says anything. It joins at the end.
Result<> Catalog::set_memberships(const ScriptDefinition& script) {
    if (!script.profiles) return {};
    for (std::size_t i = 0; i < script.profiles->size(); ++i) {
        const std::string& profile = (*script.profiles)[i];
        if (!LD_TRY(has_profile(database_, profile)))
            return fail(no_such("profile", profile, fmt::format("profiles[{}]", i)));
    }
    const std::string_view id = script.id;
    const IdsById all = LD_TRY(profiles_by_script(database_));
    const auto before = all.find(id);
    for (const std::string& profile : before == all.end() ? std::vector<std::string>{} : before->second) {
        if (std::find(script.profiles->begin(), script.profiles->end(), profile) != script.profiles->end())
            continue;
        LD_TRY(database_.run("DELETE FROM profile_script WHERE profile_id = ? AND script_id = ?",
                             {std::string_view(profile), id}));
    }
    for (const std::string& profile : *script.profiles) {
        LD_TRY(database_.run(
            "INSERT INTO profile_script(profile_id, script_id, position) SELECT ?1, ?2, "
            "coalesce((SELECT max(position) + 1 FROM profile_script WHERE profile_id = ?1), 0) WHERE true "
            "ON CONFLICT DO NOTHING",
            {std::string_view(profile), id}));
    }
    return {};
}

Result<> Catalog::delete_script(std::string_view id) {
    // The profiles' rows go with it, by their reference.
    if (LD_TRY(database_.run("DELETE FROM script WHERE id = ?", {id})) == 0)
        return fail(no_such("script", id, "id"));
    return {};
}

Result<std::vector<Profile>> Catalog::profiles() const {
    const IdsById memberships = LD_TRY(scripts_by_profile(database_));
    std::vector<Profile> all;
    Result<> read;
    LD_TRY(database_.each("SELECT body FROM profile ORDER BY position", {}, [&](const store::Row& row) {
        if (!read) return;
        auto profile = read_body<Profile>(row.text(0), profile_from_json);
        if (!profile) {
            read = fail(std::move(profile).error());
            return;
        }
        if (const auto found = memberships.find(profile->id); found != memberships.end())
            profile->script_ids = found->second;
        all.push_back(std::move(*profile));
    }));
    LD_TRY(std::move(read));
    return all;
}

Result<Profile> Catalog::profile(std::string_view id) const {
    std::string body;
    LD_TRY(database_.each("SELECT body FROM profile WHERE id = ?", {id},
                          [&](const store::Row& row) { body = row.text(0); }));
    if (body.empty()) return fail(no_such("profile", id, "id"));
    auto profile = LD_TRY(read_body<Profile>(body, profile_from_json));
    LD_TRY(database_.each("SELECT script_id FROM profile_script WHERE profile_id = ? ORDER BY position", {id},
                          [&](const store::Row& row) { profile.script_ids.emplace_back(row.text(0)); }));
    return profile;
}

Result<Profile> Catalog::upsert_profile(Profile profile) {
    if (profile.id.empty()) profile.id = new_uuid();
    for (std::size_t i = 0; i < profile.script_ids.size(); ++i) {
        if (!LD_TRY(has_script(database_, profile.script_ids[i])))
            return fail(no_such("script", profile.script_ids[i], fmt::format("scriptIds[{}]", i)));
    }
    LD_TRY(database_.transact([&]() -> Result<> {
        if (!LD_TRY(has_profile(database_, profile.id)))
            LD_TRY(check_room(database_, "SELECT count(*) FROM profile", "profiles"));
        return put_profile(profile);
    }));
    return this->profile(profile.id);
}

Result<> Catalog::put_profile(const Profile& profile) {
    const std::string body = profile_body(profile);
    const std::string_view id = profile.id;
    LD_TRY(database_.run(
        "INSERT INTO profile(id, body) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET body = excluded.body",
        {id, std::string_view(body)}));
    LD_TRY(database_.run("DELETE FROM profile_script WHERE profile_id = ?", {id}));
    std::int64_t position = 0;
    for (const std::string& script : profile.script_ids) {
        LD_TRY(database_.run("INSERT INTO profile_script(profile_id, script_id, position) VALUES(?, ?, ?)",
                             {id, std::string_view(script), position++}));
    }
    return {};
}

Result<> Catalog::delete_profile(std::string_view id) {
    if (LD_TRY(database_.run("DELETE FROM profile WHERE id = ?", {id})) == 0)
        return fail(no_such("profile", id, "id"));
    return {};
}

Result<AppSettings> Catalog::settings() const {
    return settings_from_json(LD_TRY(read_document(database_, "settings")));
}

Result<AppSettings> Catalog::update_settings(const Json& patch) {
    if (!patch.is_object()) return fail(contract::bad_arg("params", "params must be an object"));
    if (patch.size() > Fields::extra_members_max)
        return fail(contract::bad_arg("params", "params has too many members"));
    Json json = to_json(LD_TRY(settings()));
    for (const auto& [key, value] : patch.items()) {
        if (value.is_null()) {
            json.erase(key);
        } else {
            json[key] = value;
        }
    }
    const AppSettings updated = LD_TRY(settings_from_json(json));
    LD_TRY(put_settings(updated));
    return updated;
}

Result<> Catalog::put_settings(const AppSettings& settings) {
    const std::string body = contract::dump_line(to_json(settings));
    if (body.size() > PersistedData::settings_bytes_max) {
        return fail(Code::bad_arg, fmt::format("the settings would be longer than {} bytes",
                                               PersistedData::settings_bytes_max));
    }
    return write_document(database_, "settings", body);
}

Result<PersistedData> Catalog::everything() const {
    PersistedData data;
    data.scripts = LD_TRY(scripts());
    data.profiles = LD_TRY(profiles());
    data.settings = LD_TRY(settings());
    const Json extra = LD_TRY(read_document(database_, "extra"));
    if (!extra.empty()) data.extra = contract::dump_line(extra);
    return data;
}

Result<> Catalog::replace_everything(const PersistedData& data) {
    return database_.transact([&]() -> Result<> {
        LD_TRY(database_.execute("DELETE FROM profile_script; DELETE FROM profile; DELETE FROM script;"));
        for (const ScriptDefinition& script : data.scripts) LD_TRY(put_script(script));
        for (const Profile& profile : data.profiles) LD_TRY(put_profile(profile));
        LD_TRY(put_settings(data.settings));
        return write_document(database_, "extra", data.extra.empty() ? "{}" : data.extra);
    });
}

}  // namespace labdeck::supervise
