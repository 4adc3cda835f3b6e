#include "supervise/secret_filter.h"

#include <memory>

#include "supervise/secret_mask.h"

namespace labdeck::supervise {

io::PipeSource::Filter secret_filter(const EnvMap& env, const EnvMap& also) {
    const auto mask = std::make_shared<SecretMask>(SecretMask::of_env(env, also));
    if (!mask->masks_any()) return {};
    io::PipeSource::Filter filter;
    filter.feed = [mask](std::string_view bytes, const auto& out) { mask->feed(bytes, out); };
    filter.flush = [mask](const auto& out) { mask->flush(out); };
    filter.idle = [mask](const auto& out) { mask->flush_doubtful(out); };
    return filter;
}

}  // namespace labdeck::supervise
