// tree_lock.h - says whether an earlier tree of the same name is still being ended, whoever started it.
//
// An owner that is killed leaves its keepers to end their trees, and the next one may be there first. So a
// keeper holds a lock of its tree's name as long as it lives: one byte of a file, locked through a
// description that nobody else has open. No pid is kept that could be another's by now.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace labdeck::io {

class TreeLock {
public:
    /// The file is made when it is first needed. Which byte of it, the name says.
    TreeLock(std::string path, std::string_view name);

    /// For SpawnRequest::keeper_holds; E_BUSY while somebody holds it.
    [[nodiscard]] Result<UniqueFd> take() const;

    /// The keeper that holds it, 0 when none is found. If somebody had stopped it, it goes on.
    pid_t wake_holder() const;

private:
    std::string path_;
    off_t byte_;
};

}  // namespace labdeck::io
