// Any bytes as a provider's line: what can be passed on as it is spelled is what decode() reads, and the line
// that it goes out in says the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "contract/answer_text.h"
#include "contract/envelope.h"

using namespace labdeck;
using namespace labdeck::contract;

namespace {

void require(bool truth) {
    if (!truth) std::abort();
}

void check_passed(std::string_view line, const Answer& answer) {
    const Message message = decode(line);
    const auto* read = std::get_if<Answer>(&message);
    require(read != nullptr && read->response.has_value());
    require(dump_line(**read->response) == dump_line(**answer.response));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string line(reinterpret_cast<const char*>(data), size);
    const auto found = find_answer(line);
    const Message message = decode(line);
    if (!found) return 0;
    const auto* answer = std::get_if<Answer>(&message);
    require(answer != nullptr && answer->response.has_value());
    require(answer->id.text == found->id);
    require(found->response.find('\r') == std::string_view::npos);
    check_passed(encode_response_text(RequestId{"\"asker\""}, found->response), *answer);
    return 0;
}
