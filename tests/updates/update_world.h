// A signer, a feed and a server of our own.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "contract/json.h"
#include "updates/release.h"

namespace labdeck::updates::world {

using contract::Json;

class Folder {
public:
    Folder() {
        std::string pattern = std::filesystem::temp_directory_path().string() + "/labdeck-update-XXXXXX";
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string operator/(const std::string& name) const { return path_ + '/' + name; }
    const std::string& path() const { return path_; }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }

private:
    std::string path_;
};

inline void write(const std::string& path, const std::string& text, mode_t mode = 0644) {
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), mode);
}
inline std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string base64(const unsigned char* bytes, std::size_t size) {
    std::string text(sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL), '\0');
    ::sodium_bin2base64(text.data(), text.size(), bytes, size, sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();
    return text;
}

inline std::string sha256(const std::string& text) {
    Sha256 hash;
    hash.add(text);
    return hash.hex();
}

class Signer {
public:
    Signer() { ::crypto_sign_keypair(public_.data(), secret_.data()); }
    std::string public_key() const { return base64(public_.data(), public_.size()); }
    PublicKey key() const { return PublicKey::parse(public_key()).value(); }
    std::string sign(const std::string& text) const {
        std::array<unsigned char, crypto_sign_BYTES> signature{};
        ::crypto_sign_detached(signature.data(), nullptr, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size(), secret_.data());
        return base64(signature.data(), signature.size());
    }

private:
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_{};
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
};

/// A program that says this version of itself.
inline std::string program_of(const std::string& version) {
    return "#!/bin/sh\necho " + version + "\n";
}

inline Release release_of(const std::string& version, const std::string& program,
                          const std::string& channel = "stable") {
    Release release;
    release.channel = channel;
    release.version = Version::parse(version).value();
    release.platform = own_platform();
    release.file = "labdeck-" + version;
    release.size = program.size();
    release.sha256 = sha256(program);
    release.published = "2026-11-21T09:00:00.000Z";
    release.notes = "What is new in " + version + ": \"quoted\", and a line\nbreak.";
    return release;
}

inline Json entry_of(const Release& release, const Signer& signer) {
    return {{"version", release.version.text()},
            {"platform", release.platform},
            {"file", release.file},
            {"size", release.size},
            {"sha256", release.sha256},
            {"published", release.published},
            {"notes", release.notes},
            {"signature", signer.sign(signed_text(release))}};
}

inline Json manifest_of(const Json& entries, const std::string& channel = "stable") {
    return {{"schemaVersion", 1}, {"product", "labdeck"}, {"channels", {{channel, {{"releases", entries}}}}}};
}

/// Answers one connection after the other with what it was given, byte for byte, and closes. An empty answer
/// is silence until the client gives up.
class RawServer {
public:
    explicit RawServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
        listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length);
        ::listen(listener_.get(), 16);
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ::ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~RawServer() { finish(); }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + "/" + path;
    }
    /// What was asked; ends the server.
    std::vector<std::string> finish() {
        ended_ = true;
        if (thread_.joinable()) thread_.join();
        return asked_;
    }

private:
    bool ready(int fd) {
        pollfd one{fd, POLLIN, 0};
        while (!ended_) {
            if (::poll(&one, 1, 20) > 0) return true;
        }
        return false;
    }
    void serve() {
        for (const std::string& answer : answers_) {
            if (!ready(listener_.get())) return;
            const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            std::string asked;
            std::array<char, 4096> piece{};
            while (asked.find("\r\n\r\n") == std::string::npos && ready(peer.get())) {
                const ssize_t got = ::recv(peer.get(), piece.data(), piece.size(), 0);
                if (got <= 0) break;
                asked.append(piece.data(), static_cast<std::size_t>(got));
            }
            asked_.push_back(asked);
            ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
            if (answer.empty() && ready(peer.get())) ::recv(peer.get(), piece.data(), piece.size(), 0);
        }
    }

    std::vector<std::string> answers_;
    std::vector<std::string> asked_;
    UniqueFd listener_;
    int port_ = 0;
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

inline std::string http(const std::string& status, const std::string& body, const std::string& more = {}) {
    return "HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + more + "\r\n" + body;
}

}  // namespace labdeck::updates::world
