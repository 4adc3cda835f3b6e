// process_tree.h - all that a script has started, as an indented list.
//
// Asks process.tree once a second while it is drawn and the script is up, and not else.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ui/panel.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {

class ProcessTree {
public:
    /// `name` is the panel's, for note_rect().
    explicit ProcessTree(std::string name) : name_(std::move(name)) {}

    /// Fills the rest of the current window.
    void draw(PanelContext& context, const ScriptView& script);
    /// When it wants to ask again; {0} where it was not drawn in the last frame, or asks no more.
    MonoTime wants_frame() const noexcept { return next_; }
    /// It is not drawn in this frame.
    void rest() noexcept { next_ = {}; }

private:
    struct Row {
        std::int64_t pid = 0;
        int depth = 0;
        std::string name;
        char state = '?';
        std::string cpu;
        std::string memory;
        std::string memory_kind;
        std::string started;
    };
    /// What an answer that comes later is put into, if this still lives and shows the same script.
    struct State {
        bool asked = false;
        bool known = false;
        std::vector<Row> rows;
        std::size_t more = 0;
        std::string trouble;
    };

    void ask(PanelContext& context, const ScriptView& script);
    static void take(State& state, const Json& answer);
    void draw_rows(PanelContext& context) const;
    void draw_row(PanelContext& context, const Row& row) const;

    const std::string name_;
    std::string script_;
    MonoTime asked_at_;
    MonoTime next_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace labdeck::ui
