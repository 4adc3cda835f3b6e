// A series can be megabytes large; it is moved, or looked at by reference.
#include <utility>

#include "model/series.h"

labdeck::model::Series keep(labdeck::model::Series& series) {
#if defined(LABDECK_MUST_FAIL)
    return series;
#else
    return std::move(series);
#endif
}
