// orphans.h - ends what a killed keeper leaves behind.
//
// Somebody may kill a keeper itself. What it kept then becomes our children, because we are a subreaper too,
// and is known by the keeper's session, by a mark that each tree has in its environment, or by whom it
// descends from. A child of ours keeps its pid until we reap it, so a signal cannot hit another.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

namespace labdeck::io {

/// Orphans of our descendants come to us from now on. Thread: any.
void become_subreaper() noexcept;

/// Reaps what came to us as an orphan of somebody else's tree and has ended: the daemon of a provider. Our
/// own children are left to those who started them. Thread: any.
void reap_strangers();

class Orphans {
public:
    /// The environment variable by which a tree is known, and a value for one tree.
    static constexpr const char* mark_name = "LABDECK_TREE";
    static std::string new_mark();

    /// The keeper has ended, and nobody reaps it before we are done: its number would be another's.
    Orphans(pid_t keeper, std::string mark) : keeper_(keeper), mark_(std::move(mark)) {}

    struct Left {
        int count = 0;
        pid_t pid = 0;  ///< One of them.
        char state = '?';
    };
    /// Kills those that are our children and reaps those that have ended; what they leave behind is our child
    /// the next time. To be called until nothing is left.
    Left round();

private:
    struct Seen {
        pid_t parent = 0;
        pid_t session = 0;
        unsigned long long start = 0;
        char state = '?';
    };
    static std::optional<Seen> read(pid_t pid);
    static std::map<pid_t, Seen> look();
    void learn(const std::map<pid_t, Seen>& all);
    bool end_children();
    bool is_ours(pid_t pid, const Seen& process, const std::map<pid_t, Seen>& all) const;

    pid_t keeper_;
    std::string mark_;
    std::map<pid_t, unsigned long long> known_;  ///< Of the tree, with when they began.
};

}  // namespace labdeck::io
