#include "base/thread_role.h"

#include <doctest/doctest.h>
#include <pthread.h>

#include <array>
#include <string>
#include <thread>

using namespace labdeck;

TEST_SUITE("base/thread_role") {
    TEST_CASE("a role that is bound to this thread passes its check, also after it was another's") {
        ThreadRole role;
        std::thread([&role] {
            role.bind();
            role.check();
        }).join();
        role.bind();
        role.check();
    }

    TEST_CASE("a thread is known by the name it gives itself") {
        std::array<char, 16> name{};
        std::thread([&name] {
            name_this_thread("io-pipe");
            ::pthread_getname_np(::pthread_self(), name.data(), name.size());
        }).join();
        CHECK(std::string(name.data()) == "io-pipe");
    }
}
