// A Result is not its value: whoever wants that says what happens when there is none.
#include "base/result.h"

labdeck::Result<int> baud();

int twice() {
#if defined(LABDECK_MUST_FAIL)
    const int rate = baud();
#else
    const int rate = baud().value_or(9600);
#endif
    return 2 * rate;
}
