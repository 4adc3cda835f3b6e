// database.h - one SQLite file: opened with care, moved to the newest schema, written in transactions.
//
// What execute(), run() and transact() have answered is on the disk: the journal is a write-ahead log and
// every commit waits for it (synchronous=FULL), so it survives kill -9 and, as far as the disk tells the
// truth, a power cut. The file has mode 0600, for there are people's secrets in it.
//
// A file that cannot be used is refused and left alone: never deleted, never begun anew. One Database belongs
// to one thread at a time. SQLite's own errors become Results in database.cpp and nowhere else.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace labdeck::store {

class Database;

/// One step from a schema version to the next: SQL statements, or a function, or the one and then the other.
struct Migration {
    std::string sql;
    std::function<Result<>(Database&)> run = nullptr;
};

/// What is bound to a `?` of a statement. Text must live until the call returns and may hold NUL.
struct Blob {
    std::string_view bytes;
};
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, Blob>;

/// One row of an answer, valid during the call that it is handed to. Columns count from 0.
class Row {
public:
    std::int64_t integer(int column) const;
    double real(int column) const;
    /// Of text and of blobs; empty for NULL. Valid until the next row.
    std::string_view text(int column) const;
    bool is_null(int column) const;

private:
    friend class Database;
    explicit Row(void* statement) : statement_(statement) {}
    void* statement_;  ///< SQLiteCpp's.
};

class Database {
public:
    /// Opens or makes the file, in a folder that must be there, and carries out the migrations that it has
    /// not seen, all in one transaction: `migrations[n]` leads from version n to n + 1, and the version is
    /// kept in user_version. Of a file that had a version, a copy FILE.vN.bak is on the disk before that.
    ///
    /// Refused, with nothing touched: a file of a newer version (E_DENIED; says which version and which
    /// program wrote it), one that is no database or is damaged (E_IO; says what to move aside and which
    /// copies there are). Damage is looked for in files of at most checked_bytes_max, and always before a
    /// migration.
    [[nodiscard]] static Result<Database> open(const std::string& path,
                                               std::span<const Migration> migrations);
    static constexpr std::uint64_t checked_bytes_max = 64U << 20;

    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    /// Statements without parameters, with semicolons between them.
    [[nodiscard]] Result<> execute(const std::string& sql);

    /// One statement that changes something; the number of rows that it changed. The statement stays prepared
    /// for the next time, so `sql` should be one of a few texts, with values in `?`.
    [[nodiscard]] Result<std::int64_t> run(std::string_view sql, std::initializer_list<Value> values = {});

    /// One statement that asks; `visit` gets each row, and must not use this Database with the same `sql`.
    [[nodiscard]] Result<> each(std::string_view sql, std::initializer_list<Value> values,
                                const std::function<void(const Row&)>& visit);

    /// Carries out `work` in one transaction: kept when it succeeds, undone when it or the commit fails. Not
    /// to be nested.
    [[nodiscard]] Result<> transact(const std::function<Result<>()>& work);

    /// A look at every page and index; for a doubt, and for tests. E_IO says what is wrong.
    [[nodiscard]] Result<> check_integrity();

    std::int64_t schema_version() const noexcept;
    const std::string& path() const noexcept;

private:
    struct Impl;
    explicit Database(std::unique_ptr<Impl> impl);
    Result<> migrate(std::span<const Migration> migrations);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::store
