#include "io/kept_process.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/assert.h"
#include "base/clock.h"
#include "io/orphans.h"
#include "keeper/message.h"

namespace labdeck::io {

using keeper::Kind;
using keeper::Message;

namespace {
constexpr int farewell_ms = 2000;
constexpr std::int64_t sweep_again_ns = 5'000'000;
constexpr std::int64_t sweep_slow_ns = 100'000'000;  // Once a sweep has lasted for a second.
constexpr std::int64_t ns_per_s = 1'000'000'000;
// An heir that was born while /proc was read, of a parent that left meanwhile, is in no list of that round.
constexpr int rounds_to_be_sure = 4;
}  // namespace

struct KeptProcess::Impl {
    Impl(Reactor& reactor_, ChildProcess child_, std::string program_, std::string mark, Handler handler_)
        : reactor(reactor_),
          child(std::move(child_)),
          program(std::move(program_)),
          handler(std::move(handler_)),
          orphans(child.pid(), std::move(mark)) {}
    ~Impl() {
        if (watch_id != 0) reactor.unwatch(watch_id);
        if (orphan_timer != 0) reactor.cancel(orphan_timer);
        if (!over) farewell();
    }

    Result<> watch() {
        watch_id =
            LD_TRY(reactor.watch(child.control_fd.get(), EPOLLIN, [this](std::uint32_t) { listen(); }));
        return {};
    }

    // What the keeper says is read to its end, so that nothing is missed when it ends in between.
    void listen() {
        const std::weak_ptr<bool> still = alive;
        for (;;) {
            Message message;
            const ssize_t size = ::recv(child.control_fd.get(), &message, sizeof message, MSG_DONTWAIT);
            // A keeper that ended before it had read what we told it: Linux says so once, and before what the
            // keeper has told us.
            if (size < 0 && (errno == EINTR || errno == ECONNRESET)) continue;
            if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
            if (size != static_cast<ssize_t>(sizeof message)) return lost();
            hear(message);
            if (still.expired() || over) return;
        }
    }

    void hear(const Message& message) {
        switch (message.kind) {
            case Kind::started:
                leader = message.a;
                return handler.started(leader);
            case Kind::failed:
                return finish([why = os_error_value("start " + program, message.a)](const Handler& last) {
                    last.failed(why);
                });
            case Kind::leader_ended:
                leader = 0;
                return handler.leader_ended({message.b != 0, message.a});
            case Kind::survivor:
                return handler.survivor(message.a, static_cast<char>(message.b), message.c);
            case Kind::empty:
                return finish([](const Handler& last) { last.empty(false); });
            default:
                return;
        }
    }

    // The leader died with its keeper. Whoever else is there has come to us.
    void lost() {
        keeper_lost = true;
        reactor.unwatch(std::exchange(watch_id, 0));
        child.control_fd.reset();
        wait_for_end();
        lost_at = mono_now();
        const std::weak_ptr<bool> still = alive;
        if (std::exchange(leader, 0) != 0) handler.leader_ended({true, SIGKILL});
        if (!still.expired()) sweep_orphans();
    }

    void sweep_orphans() {
        orphan_timer = 0;
        const Orphans::Left left = orphans.round();
        if (left.count == 0 && ++rounds_without == rounds_to_be_sure)
            return finish([](const Handler& last) { last.empty(true); });
        if (left.count > 0) rounds_without = 0;
        const std::int64_t lasts_ns = mono_now().ns - lost_at.ns;
        if (left.count > 0 && lasts_ns / ns_per_s > told_s) {
            told_s = lasts_ns / ns_per_s;
            const std::weak_ptr<bool> still = alive;
            handler.survivor(left.pid, left.state, left.count);
            if (still.expired()) return;
        }
        orphan_timer =
            reactor.after(lasts_ns < ns_per_s ? sweep_again_ns : sweep_slow_ns, [this] { sweep_orphans(); });
    }

    template <typename Call>
    void finish(Call call) {
        over = true;
        if (watch_id != 0) reactor.unwatch(std::exchange(watch_id, 0));
        child.control_fd.reset();
        wait_for_keeper();
        reap_strangers();
        leader = 0;
        // The call may destroy us.
        const Handler last = std::move(handler);
        call(last);
    }

    void say(Kind kind, int a) {
        if (over || keeper_lost) return;
        const Message message{kind, a, 0, 0};
        // A keeper that is gone shows as end of file.
        ::send(child.control_fd.get(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
        // One that somebody stopped is to hear it all the same.
        child.signal(SIGCONT);
    }

    void farewell() {
        say(Kind::sweep, 0);
        child.control_fd.reset();
        wait_for_end();
        const std::int64_t until_ns = mono_now().ns + farewell_ms * (ns_per_s / 1000);
        // Somebody may have killed it, and we have not heard of it yet.
        for (int without = 0;
             keeper_was_killed() && without < rounds_to_be_sure && mono_now().ns < until_ns;) {
            without = orphans.round().count > 0 ? 0 : without + 1;
            ::poll(nullptr, 0, 1);
        }
        wait_for_keeper();
    }
    bool keeper_was_killed() const {
        siginfo_t info{};
        const int looked =
            ::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOHANG | WNOWAIT);
        return looked == 0 && info.si_pid != 0 && info.si_code != CLD_EXITED;
    }
    void wait_for_end() const {
        pollfd ended{child.exit_fd(), POLLIN, 0};
        ::poll(&ended, 1, farewell_ms);
    }
    void wait_for_keeper() {
        wait_for_end();
        ExitStatus status;
        if (!child.reap(status)) child.leave();
    }

    Reactor& reactor;
    ChildProcess child;
    std::string program;
    Handler handler;
    WatchId watch_id = 0;
    pid_t leader = 0;
    bool over = false;
    bool keeper_lost = false;
    Orphans orphans;
    MonoTime lost_at;
    std::int64_t told_s = 0;
    int rounds_without = 0;
    TimerId orphan_timer = 0;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

KeptProcess::KeptProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeptProcess::~KeptProcess() = default;

Result<std::unique_ptr<KeptProcess>> KeptProcess::start(Reactor& reactor, SpawnRequest request,
                                                        Handler handler) {
    LD_ASSERT(handler.started && handler.failed && handler.leader_ended && handler.survivor && handler.empty);
    request.kept = true;
    become_subreaper();
    reap_strangers();
    std::string mark = Orphans::new_mark();
    request.env[Orphans::mark_name] = mark;
    ChildProcess child = LD_TRY(ChildProcess::spawn(request));
    auto impl = std::make_unique<Impl>(reactor, std::move(child), request.argv.front(), std::move(mark),
                                       std::move(handler));
    LD_TRY(impl->watch());
    return std::unique_ptr<KeptProcess>(new KeptProcess(std::move(impl)));
}

ChildProcess& KeptProcess::streams() noexcept {
    return impl_->child;
}
pid_t KeptProcess::keeper_pid() const noexcept {
    return impl_->child.pid();
}
pid_t KeptProcess::leader_pid() const noexcept {
    return impl_->leader;
}
void KeptProcess::signal(int number) {
    impl_->say(Kind::signal, number);
}
void KeptProcess::sweep() {
    impl_->say(Kind::sweep, 0);
}

}  // namespace labdeck::io
