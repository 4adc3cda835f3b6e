// secret_names.h - which names are taken for those of secrets, for all that masks, hides or leaves out.
#pragma once

#include <string_view>

namespace labdeck::contract {

/// Whether a variable, setting or key of this name is taken for a secret: it has token, password, passwd,
/// passphrase, secret, api key, access key, private key, bearer, credential, authorization or cookie in it,
/// in either case and with or without _, - or . between the words; or pass or pwd as a word of its own
/// (DB_PASS), except PWD and OLDPWD. Thread: any.
bool looks_secret(std::string_view name);

}  // namespace labdeck::contract
