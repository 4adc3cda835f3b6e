// A thread owns its state from bind() on; without it neither calls nor members are within reach.
#include "base/thread_role.h"

namespace {

class Rows {
public:
    void count_one() LD_RUNS_ON(labdeck::ui_thread) { ++count_; }

private:
    int count_ LD_OWNED_BY(labdeck::ui_thread) = 0;
};

}  // namespace

void window_main() {
#if !defined(LABDECK_MUST_FAIL)
    labdeck::ui_thread.bind();
#endif
    Rows rows;
    rows.count_one();
}
