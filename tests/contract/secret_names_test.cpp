#include "contract/secret_names.h"

#include <doctest/doctest.h>

using namespace labdeck::contract;

TEST_SUITE("contract/secret_names") {
    TEST_CASE("names of secrets are known in every spelling, and others are not") {
        for (const char* const name :
             {"TOKEN",       "GITHUB_TOKEN",   "githubToken",           "apiTokens", "DB_PASSWORD",
              "passwd",      "SSH_PASSPHRASE", "CLIENT_SECRET",         "API_KEY",   "apiKey",
              "api-key",     "ApiKey2",        "AWS_SECRET_ACCESS_KEY", "X.Bearer",  "GOOGLE_CREDENTIALS",
              "PRIVATE_KEY", "private key",    "AUTHORIZATION",         "DB_PASS",   "dbPwd",
              "MYSQL_PWD",   "SESSION_COOKIE"})
            CHECK_MESSAGE(looks_secret(name), name);
        for (const char* const name :
             {"", "PATH", "PWD", "OLDPWD", "HOME", "KEYBOARD", "COMPASS", "PASSENGERS",
              "TOKENIZERS_PARALLELISM", "SSH_AUTH_SOCK", "env", "updateChannel"})
            CHECK_FALSE_MESSAGE(looks_secret(name), name);
    }
}
