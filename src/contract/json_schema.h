// json_schema.h - checks a JSON value against a JSON Schema (draft 7).
//
// For what people write and edit: settings. Not for the wire, whose params the method table checks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "contract/json.h"

namespace labdeck::contract {

/// One value that a schema refuses.
struct SchemaFault {
    std::string pointer;  ///< JSON pointer (RFC 6901) to the value; "" is the whole.
    std::string message;  ///< In the validator's words.
};

class JsonSchema {
public:
    /// Reads the schema. Code::internal when it is none. References to other documents are refused, never
    /// fetched.
    [[nodiscard]] static Result<JsonSchema> create(const Json& schema);

    JsonSchema(JsonSchema&&) noexcept;
    JsonSchema& operator=(JsonSchema&&) noexcept;
    ~JsonSchema();

    /// Every innermost value that does not fit, in no promised order; empty when all fits. A whole number
    /// that is written with a fraction of zeros (2.0) is an integer, as draft 7 says. Thread: any.
    std::vector<SchemaFault> check(const Json& value) const;

private:
    struct Impl;
    explicit JsonSchema(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::contract
