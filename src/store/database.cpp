#include "store/database.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/unique_fd.h"

namespace labdeck::store {

namespace fs = std::filesystem;

namespace {

constexpr int busy_timeout_ms = 5000;
constexpr std::size_t prepared_max = 1000;  // More means that values are written into the texts.

/// 0 when there is none.
std::uint64_t size_of(const std::string& path) {
    struct stat about {};
    return ::stat(path.c_str(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

fs::path folder_of(const std::string& path) {
    const fs::path folder = fs::path(path).parent_path();
    return folder.empty() ? fs::path(".") : folder;
}

void sync_folder_of(const std::string& path) {
    const UniqueFd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A file system that cannot sync a folder has still made the entry.
    if (folder) (void)::fsync(folder.get());
}

std::string backups_of(const std::string& path) {
    const std::string beginning = fs::path(path).filename().string() + ".v";
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_of(path), ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(beginning) && name.ends_with(".bak")) found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    return fmt::format("{}", fmt::join(found, ", "));
}

Error damaged(const std::string& path, std::string_view why) {
    const std::string copies = backups_of(path);
    Error error;
    error.code = Code::io;
    error.message = fmt::format(
        "{} is damaged: {}. Nothing was changed. Move it aside, with {}-wal if there is one, and start "
        "again{}",
        path, why, path,
        copies.empty() ? " with an empty one" : "; earlier copies to put in its place: " + copies);
    return error;
}

Error newer(const std::string& path, std::int64_t version, std::size_t known, const std::string& program) {
    Error error;
    error.code = Code::denied;
    error.message = fmt::format(
        "{} has schema version {}, written by Labdeck {}; this is Labdeck {}, which knows versions up to {}. "
        "Use "
        "Labdeck {} or a newer one. Nothing was changed",
        path, version, program.empty() ? "of a later release" : program, LABDECK_VERSION, known,
        program.empty() ? "of that release" : program);
    error.details = fmt::format(R"({{"fileVersion":{},"knownVersion":{}}})", version, known);
    return error;
}

Error error_of(const SQLite::Exception& e, const std::string& path, int os) {
    const auto plain = [&](Code code, int number) {
        std::string why = e.what();
        if (number != 0) why += fmt::format(" ({})", std::system_category().message(number));
        return Error{code, fmt::format("{}: {}", path, why), number, {}};
    };
    switch (e.getErrorCode() & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return damaged(path, e.what());
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Error{Code::busy, path + " is held by another program: " + e.what(), 0, {}};
        case SQLITE_FULL:
            return plain(Code::io, ENOSPC);
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return plain(Code::denied, os);
        case SQLITE_CANTOPEN:
            return plain(os == 0 ? Code::io : os_error_value({}, os).code, os);
        case SQLITE_IOERR:
        case SQLITE_NOLFS:
        case SQLITE_PROTOCOL:
        case SQLITE_TOOBIG:
        case SQLITE_NOMEM:
            return plain(Code::io, os);
        default:
            return plain(Code::internal, 0);
    }
}

/// SQLite opens with flags such as immutable by a URI alone.
std::string uri_of(const std::string& path, std::string_view flags) {
    std::string uri = "file:";
    for (const char c : path) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '/' || c == '.' || c == '_' || c == '-';
        if (plain) {
            uri += c;
        } else {
            uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return fmt::format("{}?{}", uri, flags);
}

void bind(SQLite::Statement& statement, std::initializer_list<Value> values) {
    statement.clearBindings();
    int index = 0;
    for (const Value& value : values) {
        ++index;
        if (const auto* whole = std::get_if<std::int64_t>(&value)) {
            statement.bind(index, *whole);
        } else if (const auto* real = std::get_if<double>(&value)) {
            statement.bind(index, *real);
        } else if (const auto* text = std::get_if<std::string_view>(&value)) {
            statement.bind(index, std::string(*text));
        } else if (const auto* blob = std::get_if<Blob>(&value)) {
            statement.bind(index, blob->bytes.data(), static_cast<int>(blob->bytes.size()));
        } else {
            statement.bind(index);
        }
    }
}

/// Puts a statement back to its beginning, so that it holds no lock.
struct Rest {
    SQLite::Statement& statement;
    explicit Rest(SQLite::Statement& used) : statement(used) {}
    ~Rest() { (void)statement.tryReset(); }
    Rest(const Rest&) = delete;
    Rest& operator=(const Rest&) = delete;
};

std::string first_text(SQLite::Database& database, const char* sql) {
    SQLite::Statement statement(database, sql);
    return statement.executeStep() ? statement.getColumn(0).getString() : std::string();
}

/// Whether the file may be used, found out without changing it. Null when there is nothing to look at yet.
std::optional<Error> look_before_use(const std::string& path, std::size_t known) {
    // Of an interrupted commit without a write-ahead log; only opening for writing can undo that.
    if (size_of(path) == 0 || size_of(path + "-journal") > 0) return std::nullopt;
    try {
        // Without a log, nothing at all is made beside the file.
        const bool has_log = size_of(path + "-wal") > 0;
        SQLite::Database file(has_log ? path : uri_of(path, "immutable=1"),
                              SQLite::OPEN_READONLY | (has_log ? 0 : SQLite::OPEN_URI), busy_timeout_ms);
        const std::int64_t version = file.execAndGet("PRAGMA user_version").getInt64();
        if (version > static_cast<std::int64_t>(known)) {
            const bool told = file.tableExists("labdeck_file");
            return newer(path, version, known,
                         told ? first_text(file, "SELECT program FROM labdeck_file") : "");
        }
        const bool migrates = version < static_cast<std::int64_t>(known);
        if (migrates || size_of(path) <= Database::checked_bytes_max) {
            const std::string found = first_text(file, "PRAGMA quick_check(1)");
            if (found != "ok") return damaged(path, found);
        }
    } catch (const SQLite::Exception& e) {
        return error_of(e, path, 0);
    }
    return std::nullopt;
}

Result<> make_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return os_error("make " + path);
    sync_folder_of(path);
    return {};
}

}  // namespace

std::int64_t Row::integer(int column) const {
    return static_cast<SQLite::Statement*>(statement_)->getColumn(column).getInt64();
}

double Row::real(int column) const {
    return static_cast<SQLite::Statement*>(statement_)->getColumn(column).getDouble();
}

std::string_view Row::text(int column) const {
    const SQLite::Column value = static_cast<SQLite::Statement*>(statement_)->getColumn(column);
    const char* const bytes = value.getText("");
    return {bytes, static_cast<std::size_t>(value.getBytes())};
}

bool Row::is_null(int column) const {
    return static_cast<SQLite::Statement*>(statement_)->isColumnNull(column);
}

struct Database::Impl {
    explicit Impl(const std::string& file)
        : path(file), database(file, SQLite::OPEN_READWRITE, busy_timeout_ms) {}

    Error error(const SQLite::Exception& e) const {
        return error_of(e, path, sqlite3_system_errno(database.getHandle()));
    }

    SQLite::Statement& prepared(std::string_view sql) {
        std::string text(sql);
        const auto it = statements.find(text);
        if (it != statements.end()) {
            LD_ASSERT(!it->second->hasRow());
            return *it->second;
        }
        LD_ASSERT(statements.size() < prepared_max);
        auto made = std::make_unique<SQLite::Statement>(database, text);
        return *statements.emplace(std::move(text), std::move(made)).first->second;
    }

    void configure() {
        // A file system without shared memory keeps its rollback journal: slower, and as safe.
        database.exec("PRAGMA journal_mode=WAL");
        database.exec("PRAGMA synchronous=FULL");
        database.exec("PRAGMA foreign_keys=ON");
        version = database.execAndGet("PRAGMA user_version").getInt64();
    }

    Result<> back_up() {
        const std::string copy = fmt::format("{}.v{}.bak", path, version);
        const std::string making = copy + ".new";
        ::unlink(making.c_str());
        LD_TRY(make_file(making));
        Result<> done = copy_to(making);
        if (done) {
            const UniqueFd fd(::open(making.c_str(), O_RDWR | O_CLOEXEC));
            if (!fd || ::fsync(fd.get()) != 0) done = os_error("write " + making);
        }
        if (done && ::rename(making.c_str(), copy.c_str()) != 0) done = os_error("make " + copy);
        if (done) {
            sync_folder_of(copy);
        } else {
            ::unlink(making.c_str());
        }
        return done;
    }

    Result<> copy_to(const std::string& target) {
        try {
            SQLite::Database copy(target, SQLite::OPEN_READWRITE, busy_timeout_ms);
            SQLite::Backup backup(copy, database);
            if (backup.executeStep(-1) != SQLITE_DONE) return fail(Code::busy, "cannot copy " + path);
        } catch (const SQLite::Exception& e) {
            return fail(error_of(e, target, 0));
        }
        return {};
    }

    std::string path;
    SQLite::Database database;
    std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>> statements;
    std::int64_t version = 0;
    bool in_transaction = false;
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const std::string& path, std::span<const Migration> migrations) {
    if (auto refusal = look_before_use(path, migrations.size())) return fail(std::move(*refusal));
    std::error_code ignored;
    if (!fs::exists(path, ignored)) LD_TRY(make_file(path));
    // A file system without permissions has none to set.
    (void)::chmod(path.c_str(), 0600);
    std::unique_ptr<Impl> impl;
    bool has_tables = false;
    try {
        impl = std::make_unique<Impl>(path);
        impl->configure();
        has_tables = impl->database.execAndGet("SELECT count(*) FROM sqlite_master").getInt() > 0;
    } catch (const SQLite::Exception& e) {
        return fail(impl ? impl->error(e) : error_of(e, path, errno));
    }
    Database opened(std::move(impl));
    if (opened.schema_version() > static_cast<std::int64_t>(migrations.size())) {
        return fail(newer(path, opened.schema_version(), migrations.size(), {}));
    }
    if (opened.schema_version() < static_cast<std::int64_t>(migrations.size())) {
        if (has_tables) LD_TRY(opened.impl_->back_up());
        LD_TRY(opened.migrate(migrations));
    }
    return opened;
}

Result<> Database::migrate(std::span<const Migration> migrations) {
    // A step may rebuild tables that others refer to; what it leaves is checked before it is kept.
    LD_TRY(execute("PRAGMA foreign_keys=OFF"));
    LD_TRY(transact([&]() -> Result<> {
        for (std::size_t n = static_cast<std::size_t>(impl_->version); n < migrations.size(); ++n) {
            if (!migrations[n].sql.empty()) LD_TRY(execute(migrations[n].sql));
            if (migrations[n].run) LD_TRY(migrations[n].run(*this));
        }
        std::string orphan;
        LD_TRY(each("PRAGMA foreign_key_check", {}, [&](const Row& row) { orphan = row.text(0); }));
        if (!orphan.empty()) {
            return fail(Code::internal,
                        fmt::format("{}: the new schema leaves rows of {} that refer to nothing", impl_->path,
                                    orphan));
        }
        LD_TRY(execute(
            "CREATE TABLE IF NOT EXISTS labdeck_file(id INTEGER PRIMARY KEY CHECK(id = 1), program TEXT)"));
        LD_TRY(run(
            "INSERT INTO labdeck_file VALUES(1, ?) ON CONFLICT(id) DO UPDATE SET program = excluded.program",
            {std::string_view(LABDECK_VERSION)}));
        return execute(fmt::format("PRAGMA user_version={}", migrations.size()));
    }));
    impl_->version = static_cast<std::int64_t>(migrations.size());
    return execute("PRAGMA foreign_keys=ON");
}

Result<> Database::execute(const std::string& sql) {
    try {
        impl_->database.exec(sql);
    } catch (const SQLite::Exception& e) {
        return fail(impl_->error(e));
    }
    return {};
}

Result<std::int64_t> Database::run(std::string_view sql, std::initializer_list<Value> values) {
    try {
        SQLite::Statement& statement = impl_->prepared(sql);
        const Rest rest{statement};
        bind(statement, values);
        return statement.exec();
    } catch (const SQLite::Exception& e) {
        return fail(impl_->error(e));
    }
}

Result<> Database::each(std::string_view sql, std::initializer_list<Value> values,
                        const std::function<void(const Row&)>& visit) {
    try {
        SQLite::Statement& statement = impl_->prepared(sql);
        const Rest rest{statement};
        bind(statement, values);
        while (statement.executeStep()) visit(Row(&statement));
    } catch (const SQLite::Exception& e) {
        return fail(impl_->error(e));
    }
    return {};
}

Result<> Database::transact(const std::function<Result<>()>& work) {
    LD_ASSERT(!impl_->in_transaction);
    LD_TRY(execute("BEGIN IMMEDIATE"));
    impl_->in_transaction = true;
    Result<> done = work();
    if (done) done = execute("COMMIT");
    impl_->in_transaction = false;
    // After some errors SQLite has undone it already, and says so; that is as good.
    if (!done) (void)impl_->database.tryExec("ROLLBACK");
    return done;
}

Result<> Database::check_integrity() {
    std::string found;
    LD_TRY(each("PRAGMA integrity_check(1)", {}, [&](const Row& row) { found = row.text(0); }));
    if (found != "ok") return fail(damaged(impl_->path, found));
    return {};
}

std::int64_t Database::schema_version() const noexcept {
    return impl_->version;
}

const std::string& Database::path() const noexcept {
    return impl_->path;
}

}  // namespace labdeck::store
