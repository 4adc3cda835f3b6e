// secret_filter.h - a SecretMask in the way of a pipe: secrets are gone before a byte becomes part of a
// source.
#pragma once

#include "io/pipe_source.h"
#include "supervise/records.h"

namespace labdeck::supervise {

/// Masks what either environment has under a name that looks secret; empty when there is nothing to mask.
io::PipeSource::Filter secret_filter(const EnvMap& env, const EnvMap& also = {});

}  // namespace labdeck::supervise
