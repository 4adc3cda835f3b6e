// An id of one kind is not an id of another, though both are numbers.
#include "base/id.h"

using PortId = labdeck::Id<struct PortTag>;

bool same(labdeck::SourceId source, PortId port) {
#if defined(LABDECK_MUST_FAIL)
    return source == port;
#else
    return source.value == port.value;
#endif
}
