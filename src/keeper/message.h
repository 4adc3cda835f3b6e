// message.h - what a keeper and its owner say to each other.
//
// One Message a packet (AF_UNIX, SOCK_SEQPACKET) on the keeper's descriptor 3. End of file there means that
// the owner is gone, and the keeper ends its tree.
#pragma once

#include <cstdint>

namespace labdeck::keeper {

inline constexpr int control_fd = 3;
/// Where its owner may give it something to hold as long as it lives; the tree does not get it.
inline constexpr int lock_fd = 4;

enum class Kind : std::int32_t {
    // Keeper to owner.
    started = 1,  ///< The program runs; a: its pid, which is its group's too.
    failed = 2,   ///< It could not be started; a: errno. The keeper then ends.
    leader_ended =
        3,         ///< a: exit code or signal, b: 1 when it was a signal. Others of its tree may still run.
    empty = 4,     ///< Nothing of the tree is left. The keeper then ends.
    survivor = 5,  ///< About once a second while a sweep lasts: a: a pid that is still there, b: its state
                   ///< as /proc spells it ('D'), c: how many there are.
    // Owner to keeper.
    signal = 16,  ///< a: sent to the leader's group, or to all that is left of the tree once the leader is
                  ///< gone; then SIGCONT.
    sweep = 17,   ///< Stop all, kill all, reap, again until nothing is left.
};

struct Message {
    Kind kind{};
    std::int32_t a = 0;
    std::int32_t b = 0;
    std::int32_t c = 0;
};

}  // namespace labdeck::keeper
