// updating.h - updates of the program itself as a part of the hub: its methods and its event.
//
// Thread: hub.
#pragma once

#include <functional>
#include <memory>

#include "contract/dispatcher.h"
#include "io/reactor.h"
#include "updates/updater.h"

namespace labdeck::hub {

class Core;

class Updating {
public:
    Updating(Core& core, io::Reactor& hub);

    void bind(contract::Dispatcher& table);

    /// E_BAD_ARG for settings of the updater that it could not use; other members are not looked at.
    [[nodiscard]] static Result<> check_settings(const contract::Json& patch);

private:
    updates::FeedSettings feed() const;
    void install(const contract::Responder& responder);

    Core& core_;
    io::Reactor& hub_;
    std::unique_ptr<updates::Updater> updater_;
};

}  // namespace labdeck::hub
