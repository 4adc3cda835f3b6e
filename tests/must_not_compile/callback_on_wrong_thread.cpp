// A reader's callback runs on io-pipe; what the window owns is out of its reach.
#include <functional>

#include "base/thread_role.h"

namespace {

class RowCount {
public:
    void draw() LD_RUNS_ON(labdeck::ui_thread) { ++drawn_; }

private:
    int drawn_ LD_OWNED_BY(labdeck::ui_thread) = 0;
};

}  // namespace

std::function<void()> callback_for(void* count) {
    return [count] {
#if defined(LABDECK_MUST_FAIL)
        labdeck::pipe_thread.check();
#else
        labdeck::ui_thread.check();
#endif
        static_cast<RowCount*>(count)->draw();
    };
}
