// app_section.h - one part of an app's page that only some apps have: their status or actions say whether.
//
// A section draws what the app said and asks through BenchState; where the app does not have what it shows,
// the section is not there. One file a section.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ui/panel.h"

namespace labdeck::ui {

class AppSection {
public:
    virtual ~AppSection() = default;
    virtual const char* title() const = 0;
    virtual bool there(const AppView& app) const = 0;
    /// Keys of the status that it shows; they are left out of the plain facts while it is there.
    virtual std::span<const std::string_view> keys() const = 0;
    /// Shows what no event tells of, so that the status is asked for again and again while it is seen.
    virtual bool live() const { return true; }
    /// `rect` is "simulators/APP"; controls are named below it.
    virtual void draw(PanelContext& context, const AppView& app, const std::string& rect) = 0;
};

/// A run of the station: its steps with their limits, its files, and earlier runs. Status: lastRun, runs.
std::unique_ptr<AppSection> make_run_section();
/// The register map, which can be edited. Status: registers; edits are set_register.
std::unique_ptr<AppSection> make_registers_section();
/// Level, link and battery of a radio. Status: rssi, link, battery.
std::unique_ptr<AppSection> make_radio_section();
/// The kinds of inject_fault as switches. Status: faults.
std::unique_ptr<AppSection> make_faults_section();

}  // namespace labdeck::ui
