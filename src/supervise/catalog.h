// catalog.h - all scripts, profiles and settings of a workspace, kept in its database.
//
// Every change is one transaction, and durable before it is answered. Profile.scriptIds is the truth;
// ScriptDefinition.profiles is derived from it whenever a script is given out, and absent where it would be
// empty. Scripts and profiles keep the order in which they were made.
//
// Values come in as from_json() of records.h makes them. Belongs to the thread of its Database.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/database.h"
#include "supervise/records.h"

namespace labdeck::supervise {

/// The steps that make the catalog's tables, to stand first in the database's list.
std::span<const store::Migration> catalog_migrations();

class Catalog {
public:
    /// `database` has gone through catalog_migrations(), and outlives this.
    explicit Catalog(store::Database& database) : database_(database) {}

    [[nodiscard]] Result<std::vector<ScriptDefinition>> scripts() const;
    /// E_NOT_FOUND.
    [[nodiscard]] Result<ScriptDefinition> script(std::string_view id) const;
    /// Adds it, under a new UUID where it has no id. E_BAD_ARG when the id is taken, or a secret has no
    /// value. Here and below: what it says about its profiles, if anything, is made so; E_NOT_FOUND for one
    /// that does not exist. The answer is the script as it is now kept.
    [[nodiscard]] Result<ScriptDefinition> create_script(ScriptDefinition script);
    /// Adds it or puts it in the place of the one with its id, whose secrets stand for those without a value.
    [[nodiscard]] Result<ScriptDefinition> upsert_script(ScriptDefinition script);
    /// Takes it from the profiles as well. E_NOT_FOUND.
    [[nodiscard]] Result<> delete_script(std::string_view id);

    [[nodiscard]] Result<std::vector<Profile>> profiles() const;
    [[nodiscard]] Result<Profile> profile(std::string_view id) const;
    /// Under a new UUID where it has no id. E_NOT_FOUND with key scriptIds[n] for a script that does not
    /// exist.
    [[nodiscard]] Result<Profile> upsert_profile(Profile profile);
    /// Its scripts stay. E_NOT_FOUND.
    [[nodiscard]] Result<> delete_profile(std::string_view id);

    [[nodiscard]] Result<AppSettings> settings() const;
    /// Replaces the members that `patch`, an object, names, and removes those that it names as null.
    /// E_BAD_ARG names the first wrong one, and then nothing is changed. The answer is all settings.
    [[nodiscard]] Result<AppSettings> update_settings(const Json& patch);

    /// All of it at one moment, secrets included.
    [[nodiscard]] Result<PersistedData> everything() const;
    /// Puts `data` in the place of everything. Requires that its profiles name its own scripts alone.
    [[nodiscard]] Result<> replace_everything(const PersistedData& data);

private:
    Result<> put_script(const ScriptDefinition& script);
    Result<> put_profile(const Profile& profile);
    Result<> put_settings(const AppSettings& settings);
    Result<> set_memberships(const ScriptDefinition& script);
    Result<ScriptDefinition> keep_script(ScriptDefinition script);

    store::Database& database_;
};

}  // namespace labdeck::supervise
