#include "base/thread_role.h"

#include <pthread.h>

namespace labdeck {

void name_this_thread(const char* name) noexcept {
    ::pthread_setname_np(::pthread_self(), name);
}

}  // namespace labdeck
