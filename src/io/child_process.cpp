#include "io/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "keeper/image.h"
#include "keeper/message.h"

extern char** environ;

namespace labdeck::io {

namespace {

constexpr int pipe_bytes_wanted = 1 << 20;
// What every user may have, and as fast as more.
constexpr int pipe_bytes_modest = 256 << 10;

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

// Who is a child of ours by our own doing, not by the death of its parent.
struct Children {
    std::mutex mutex;
    std::set<pid_t> pids;
};
Children& children() {
    static Children all;
    return all;
}

// By syscall(): the header of glibc 2.36 declares these two for C alone.
int pidfd_open(pid_t pid) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
}
void pidfd_kill(int pidfd) noexcept {
    ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0U);
}

// The child's streams are made by dup2() onto 0 to 2, so nothing they are made of may lie there.
Result<UniqueFd> copy_above_standard_streams(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!copy) return os_error("fcntl");
    return copy;
}
Result<UniqueFd> above_standard_streams(UniqueFd fd) {
    if (fd.get() > STDERR_FILENO) return fd;
    return copy_above_standard_streams(fd.get());
}

Result<Pipe> make_pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return os_error("pipe");
    UniqueFd read_end(ends[0]);
    UniqueFd write_end(ends[1]);
    Pipe made;
    made.read_end = LD_TRY(above_standard_streams(std::move(read_end)));
    made.write_end = LD_TRY(above_standard_streams(std::move(write_end)));
    return made;
}

// A pipe whose write end is the child's, or the descriptor that its owner gave for it.
Result<Pipe> make_output(int given) {
    if (given < 0) return make_pipe();
    Pipe made;
    made.write_end = LD_TRY(copy_above_standard_streams(given));
    return made;
}

void make_non_blocking(const UniqueFd& fd) noexcept {
    if (!fd) return;
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

void enlarge(const UniqueFd& pipe) noexcept {
    if (pipe && ::fcntl(pipe.get(), F_SETPIPE_SZ, pipe_bytes_wanted) < 0) {
        ::fcntl(pipe.get(), F_SETPIPE_SZ, pipe_bytes_modest);
    }
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
    std::vector<std::string> merged;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        if (!added.contains(std::string(text.substr(0, text.find('='))))) merged.emplace_back(text);
    }
    for (const auto& [name, value] : added) merged.push_back(name + '=' + value);
    return merged;
}

std::string search_path(const SpawnRequest& request) {
    const auto given = request.env.find("PATH");
    if (given != request.env.end()) return given->second;
    const char* const ours = std::getenv("PATH");
    return ours != nullptr ? ours : "/usr/local/bin:/usr/bin:/bin";
}

// errno of what keeps `path` from being run, 0 if nothing does.
int run_error(const std::string& path) noexcept {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno;
    if (S_ISDIR(status.st_mode)) return EACCES;
    return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

Result<std::string> find_program(const SpawnRequest& request) {
    if (request.argv.empty() || request.argv.front().empty()) {
        return fail(Code::bad_arg, "start: no program is named");
    }
    const std::string& name = request.argv.front();
    if (name.find('/') != std::string::npos) return name;
    const std::string folders = search_path(request);
    int why = ENOENT;
    for (std::size_t from = 0; from <= folders.size();) {
        const std::size_t end = std::min(folders.find(':', from), folders.size());
        const std::string folder = end == from ? "." : folders.substr(from, end - from);
        const std::string candidate = folder + '/' + name;
        const int os = run_error(candidate);
        if (os == 0) return candidate;
        // As the shell does: a file that may not be run says more than none at all.
        if (os == EACCES) why = EACCES;
        from = end + 1;
    }
    return fail(os_error_value("start " + name, why));
}

// The actions and attributes of one posix_spawn().
class SpawnPlan {
public:
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    // `control` and `lock` are the keeper's, negative without one. Returns errno, 0 when all went well.
    int prepare(const std::string& cwd, int in, int out, int err, int control, int lock) noexcept {
        sigset_t all;
        sigset_t none;
        sigfillset(&all);
        sigemptyset(&none);
        // A keeper leads a session: what is typed at our terminal is none of its business.
        const int group = control < 0 ? POSIX_SPAWN_SETPGROUP : POSIX_SPAWN_SETSID;
        const auto flags = static_cast<short>(group | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        int os = ::posix_spawnattr_setflags(&attributes_, flags);
        if (os == 0) os = ::posix_spawnattr_setpgroup(&attributes_, 0);
        if (os == 0) os = ::posix_spawnattr_setsigdefault(&attributes_, &all);
        if (os == 0) os = ::posix_spawnattr_setsigmask(&attributes_, &none);
        if (os == 0) os = ::posix_spawn_file_actions_adddup2(&actions_, in, STDIN_FILENO);
        if (os == 0) os = ::posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
        if (os == 0) os = ::posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
        int closed_from = STDERR_FILENO + 1;
        if (control >= 0) {
            closed_from = keeper::control_fd + 1;
            if (os == 0) os = ::posix_spawn_file_actions_adddup2(&actions_, control, keeper::control_fd);
        }
        if (control >= 0 && lock >= 0) {
            closed_from = keeper::lock_fd + 1;
            if (os == 0) os = ::posix_spawn_file_actions_adddup2(&actions_, lock, keeper::lock_fd);
        }
        if (os == 0) os = ::posix_spawn_file_actions_addclosefrom_np(&actions_, closed_from);
        if (os == 0 && !cwd.empty()) os = ::posix_spawn_file_actions_addchdir_np(&actions_, cwd.c_str());
        return os;
    }

    int spawn(pid_t& pid, const std::string& program, std::vector<std::string> argv,
              std::vector<std::string> environment) const {
        std::vector<char*> argument_list = pointers(argv);
        std::vector<char*> environment_list = pointers(environment);
        return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argument_list.data(),
                             environment_list.data());
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> list;
        list.reserve(texts.size() + 1);
        for (std::string& text : texts) list.push_back(text.data());
        list.push_back(nullptr);
        return list;
    }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

Result<> check_folder(const std::string& cwd) {
    if (cwd.empty()) return {};
    struct stat status {};
    if (::stat(cwd.c_str(), &status) != 0) return os_error("start in " + cwd);
    if (!S_ISDIR(status.st_mode)) return fail(os_error_value("start in " + cwd, ENOTDIR));
    return {};
}

struct Control {
    UniqueFd ours;
    UniqueFd keepers;
    UniqueFd lock;
};

// Empty ends without a keeper.
Result<Control> make_control(bool kept, int lock) {
    Control made;
    if (!kept) return made;
    if (lock >= 0) {
        // Above all that it is made of before.
        made.lock.reset(::fcntl(lock, F_DUPFD_CLOEXEC, keeper::lock_fd + 1));
        if (!made.lock) return os_error("fcntl");
    }
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return os_error("socketpair");
    made.ours.reset(ends[0]);
    made.keepers.reset(ends[1]);
    // dup2() onto itself would leave it to be closed by exec.
    if (made.keepers.get() == keeper::control_fd) {
        made.keepers.reset(::fcntl(made.keepers.get(), F_DUPFD_CLOEXEC, keeper::control_fd + 1));
    }
    if (!made.keepers) return os_error("fcntl");
    return made;
}

void kill_unwatched(pid_t pid) noexcept {
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

std::string exit_text(const ExitStatus& status) {
    if (!status.signaled) return fmt::format("exit {}", status.code);
    const char* const name = ::sigabbrev_np(status.code);
    return name != nullptr ? fmt::format("killed by SIG{}", name)
                           : fmt::format("killed by signal {}", status.code);
}

Result<ChildProcess> ChildProcess::spawn(const SpawnRequest& request) {
    const std::string program = LD_TRY(find_program(request));
    LD_TRY(check_folder(request.cwd));
    const auto because = [&program](int os) { return fail(os_error_value("start " + program, os)); };

    auto in = make_pipe();
    auto out = make_output(request.stdout_to);
    auto err = make_output(request.stderr_to);
    for (const auto* made : {&in, &out, &err}) {
        if (!*made) return because(made->error().os);
    }
    auto control = make_control(request.kept, request.keeper_holds);
    if (!control) return because(control.error().os);
    SpawnPlan plan;
    const int planned = plan.prepare(request.cwd, in->read_end.get(), out->write_end.get(),
                                     err->write_end.get(), control->keepers.get(), control->lock.get());
    if (planned != 0) return because(planned);
    std::string started = program;
    std::vector<std::string> argv = request.argv;
    if (request.kept) {
        started = LD_TRY(keeper::program_path());
        argv.insert(argv.begin(), {"labdeck-keeper", program});
    }

    ChildProcess child;
    pid_t pid = -1;
    {
        // Nobody is to take it for a stranger in between.
        const std::scoped_lock lock(children().mutex);
        const int os = plan.spawn(pid, started, argv, merged_environment(request.env));
        if (os != 0) return because(os);
        children().pids.insert(pid);
    }
    child.pidfd_ = UniqueFd(pidfd_open(pid));
    if (!child.pidfd_) {
        const int why = errno;
        kill_unwatched(pid);
        child.pid_ = pid;
        child.forget();
        return because(why);
    }
    child.pid_ = pid;
    child.stdin_fd = std::move(in->write_end);
    child.stdout_fd = std::move(out->read_end);
    child.stderr_fd = std::move(err->read_end);
    child.control_fd = std::move(control->ours);
    for (const UniqueFd* ours : {&child.stdin_fd, &child.stdout_fd, &child.stderr_fd, &child.control_fd})
        make_non_blocking(*ours);
    enlarge(child.stdout_fd);
    enlarge(child.stderr_fd);
    return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : stdin_fd(std::move(other.stdin_fd)),
      stdout_fd(std::move(other.stdout_fd)),
      stderr_fd(std::move(other.stderr_fd)),
      control_fd(std::move(other.control_fd)),
      pid_(std::exchange(other.pid_, -1)),
      reaped_(std::exchange(other.reaped_, false)),
      pidfd_(std::move(other.pidfd_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    if (this == &other) return *this;
    end();
    stdin_fd = std::move(other.stdin_fd);
    stdout_fd = std::move(other.stdout_fd);
    stderr_fd = std::move(other.stderr_fd);
    control_fd = std::move(other.control_fd);
    pid_ = std::exchange(other.pid_, -1);
    reaped_ = std::exchange(other.reaped_, false);
    pidfd_ = std::move(other.pidfd_);
    return *this;
}

ChildProcess::~ChildProcess() {
    end();
}

void ChildProcess::end() noexcept {
    if (pid_ < 0 || reaped_) return;
    signal(SIGKILL);
    // The child may have left its group; its descriptor still finds it.
    pidfd_kill(pidfd_.get());
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0 && errno == EINTR) {
    }
    forget();
}

void ChildProcess::leave() noexcept {
    forget();
}

void ChildProcess::forget() noexcept {
    reaped_ = true;
    const std::scoped_lock lock(children().mutex);
    children().pids.erase(pid_);
}

bool is_child_of_ours(pid_t pid) noexcept {
    const std::scoped_lock lock(children().mutex);
    return children().pids.contains(pid);
}

void ChildProcess::signal(int number) noexcept {
    // Once reaped, the number may be another's.
    if (pid_ > 0 && !reaped_) ::kill(-pid_, number);
}

bool ChildProcess::reap(ExitStatus& out) noexcept {
    if (pid_ < 0 || reaped_) return false;
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) return false;
    if (info.si_pid == 0) return false;
    forget();
    out.signaled = info.si_code != CLD_EXITED;
    out.code = info.si_status;
    return true;
}

}  // namespace labdeck::io
