#include "supervise/launch.h"

#include <fmt/format.h>

#include "contract/json.h"

namespace labdeck::supervise {

namespace {

/// One word's beginning to its end; `at` stands behind it afterwards.
Result<std::string> take_word(std::string_view line, std::size_t& at) {
    std::string word;
    char quote = 0;
    for (; at < line.size(); ++at) {
        const char c = line[at];
        if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) return word;
        if (c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && at + 1 < line.size()) {
            word += line[++at];
        } else {
            word += c;
        }
    }
    if (quote != 0)
        return fail(contract::bad_arg("command", fmt::format("a {} has no end: {}", quote, line)));
    return word;
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view line) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < line.size();) {
        if (line[at] == ' ' || line[at] == '\t' || line[at] == '\n') {
            ++at;
            continue;
        }
        words.push_back(LD_TRY(take_word(line, at)));
    }
    return words;
}

Result<io::SpawnRequest> launch_of(const ScriptDefinition& script, const std::string& root) {
    io::SpawnRequest request = surroundings_of(script, root);
    const std::vector<std::string> args = script.args.value_or(std::vector<std::string>{});
    if (script.interpreter && !script.interpreter->empty()) {
        request.argv = LD_TRY(split_words(*script.interpreter));
        request.argv.insert(request.argv.end(), args.begin(), args.end());
        request.argv.push_back(script.command);
    } else if (script.args) {
        request.argv.push_back(script.command);
        request.argv.insert(request.argv.end(), args.begin(), args.end());
    } else {
        request.argv = LD_TRY(split_words(script.command));
    }
    return request;
}

io::SpawnRequest surroundings_of(const ScriptDefinition& script, const std::string& root) {
    io::SpawnRequest request;
    const std::string cwd = script.cwd.value_or("");
    request.cwd = cwd.empty() ? root : cwd.front() == '/' ? cwd : root + '/' + cwd;
    for (const auto& [name, value] : script.env.value_or(EnvMap{})) {
        if (value) request.env.emplace(name, *value);
    }
    return request;
}

}  // namespace labdeck::supervise
