// data_exchange.h - scripts, profiles and settings to a file and from one, with a look before they are taken.
//
// Nothing is taken in before data.preview has said what that would change and somebody has seen it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ui/panel.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {

class DataExchange {
public:
    /// False when it is done with.
    bool draw(PanelContext& context, const std::string& rect);

private:
    enum class Step : unsigned char { file, asked, preview };
    /// What an answer that comes later is put into, if this still lives.
    struct State {
        Step step = Step::file;
        std::string message;
        bool wrong = false;
        Json preview;
        bool fresh = false;  ///< No lines were made from it yet.
    };
    struct Line {
        std::string what;
        std::string names;
    };

    void draw_path(PanelContext& context, const std::string& rect);
    void draw_mode(PanelContext& context, const std::string& rect);
    void draw_preview(PanelContext& context, const std::string& rect);
    void write(PanelContext& context);
    void read(PanelContext& context);
    void ask_preview(PanelContext& context);
    void import(PanelContext& context);
    void say(std::string message, bool wrong) const;
    Json params() const;
    /// A line a list in data.preview's answer that has something: "scripts added (2)".
    std::vector<Line> lines_of(const SupervisorView& supervisor, const Json& preview,
                               const std::string& of) const;
    /// Of a script or profile, for people.
    std::string name_of(const SupervisorView& supervisor, const Json& item) const;

    std::string path_;
    Json data_;  ///< What the file had.
    std::vector<Line> lines_;
    bool replace_ = false;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace labdeck::ui
