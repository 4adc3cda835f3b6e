#include "contract/secret_names.h"

#include <algorithm>
#include <array>
#include <string>

namespace labdeck::contract {

namespace {

constexpr std::array<std::string_view, 11> secret_words = {
    "password",   "passwd", "passphrase", "secret",        "apikey", "accesskey",
    "privatekey", "bearer", "credential", "authorization", "cookie"};

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

char lower(char c) {
    return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "DB_PASS", "dbPass": pass and pwd count as words of their own alone.
bool has_short_word(std::string_view name) {
    std::string word;
    char before = '_';
    const auto is_secret = [&word] { return word == "pass" || word == "pwd"; };
    for (const char c : name) {
        const bool separates = c == '_' || c == '-' || c == '.' || c == ' ';
        if (separates || (is_upper(c) && !is_upper(before))) {
            if (is_secret()) return true;
            word.clear();
        }
        if (!separates) word += lower(c);
        before = c;
    }
    return is_secret();
}

}  // namespace

bool looks_secret(std::string_view name) {
    std::string joined;
    for (const char c : name) {
        if (c != '_' && c != '-' && c != '.' && c != ' ') joined += lower(c);
    }
    if (joined == "pwd" || joined == "oldpwd") return false;
    for (std::size_t at = joined.find("token"); at != std::string::npos; at = joined.find("token", at + 1)) {
        // A tokenizer is none.
        if (joined.compare(at + 5, 2, "iz") != 0) return true;
    }
    const auto holds = [&joined](std::string_view word) { return joined.find(word) != std::string::npos; };
    return std::any_of(secret_words.begin(), secret_words.end(), holds) || has_short_word(name);
}

}  // namespace labdeck::contract
