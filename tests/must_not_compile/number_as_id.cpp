// A bare number does not become an id by itself, nor an id a number.
#include "base/id.h"

void close_source(labdeck::SourceId source);

void close_seven() {
#if defined(LABDECK_MUST_FAIL)
    close_source(7);
#else
    close_source(labdeck::SourceId{7});
#endif
}
