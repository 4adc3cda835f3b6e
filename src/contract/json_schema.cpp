#include "contract/json_schema.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "contract/json_text.h"

namespace labdeck::contract {

namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

// Beyond it a double is no longer sure of its last digit.
constexpr double whole_max = 9007199254740992.0;

/// As the validator wants it: unordered, and 2.0 an integer.
nlohmann::json plain(const Json& value) {
    if (value.is_object()) {
        nlohmann::json out = nlohmann::json::object();
        for (const auto& [key, inner] : value.items()) out[key] = plain(inner);
        return out;
    }
    if (value.is_array()) {
        nlohmann::json out = nlohmann::json::array();
        for (const Json& inner : value) out.push_back(plain(inner));
        return out;
    }
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        if (std::trunc(number) == number && std::abs(number) <= whole_max)
            return static_cast<std::int64_t>(number);
        return number;
    }
    return nlohmann::json(value);
}

/// The validator's context is "<root>", "[key]", "[2]" and so on.
std::string pointer_of(const std::vector<std::string>& context) {
    std::string pointer;
    for (const std::string& step : context) {
        if (step.size() >= 2 && step.front() == '[') pointer += pointer_step(step.substr(1, step.size() - 2));
    }
    return pointer;
}

}  // namespace

struct JsonSchema::Impl {
    valijson::Schema schema;
};

JsonSchema::JsonSchema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&&) noexcept = default;
JsonSchema::~JsonSchema() = default;

Result<JsonSchema> JsonSchema::create(const Json& schema) {
    auto impl = std::make_unique<Impl>();
    try {
        const nlohmann::json document(schema);
        const Adapter adapter(document);
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.populateSchema(adapter, impl->schema);
    } catch (const std::exception& what) {
        return fail(Code::internal, std::string("no JSON Schema: ") + what.what());
    }
    return JsonSchema(std::move(impl));
}

std::vector<SchemaFault> JsonSchema::check(const Json& value) const {
    std::vector<SchemaFault> faults;
    try {
        const nlohmann::json target = plain(value);
        const Adapter adapter(target);
        valijson::Validator validator;
        valijson::ValidationResults results;
        if (validator.validate(impl_->schema, adapter, &results)) return faults;
        valijson::ValidationResults::Error error;
        while (results.popError(error)) faults.push_back({pointer_of(error.context), error.description});
        if (faults.empty()) faults.push_back({"", "does not fit its schema"});
    } catch (const std::exception& what) {
        faults.push_back({"", what.what()});
    }
    // A value that does not fit is told of again for everything that holds it.
    const auto holds_another = [&faults](const SchemaFault& one) {
        return std::any_of(faults.begin(), faults.end(), [&one](const SchemaFault& other) {
            return other.pointer.starts_with(one.pointer + "/");
        });
    };
    std::vector<SchemaFault> innermost;
    for (const SchemaFault& fault : faults) {
        if (!holds_another(fault)) innermost.push_back(fault);
    }
    return innermost;
}

}  // namespace labdeck::contract
