// form_foot.h - the lower edge of a form that is sent to the hub: Save and Cancel, the wait for the answer,
// and the question before what was changed is given up.
//
// Escape is Cancel, where the dialog owns it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "contract/client.h"
#include "ui/panel.h"

namespace labdeck::ui {

class FormFoot {
public:
    enum class Wish : unsigned char {
        none,
        save,   ///< Send it, and give on_answer() to the request.
        leave,  ///< The form is done with: it was saved, or given up.
    };

    /// To be called last in the form's window. `save` is the button's word; `changed` says whether there is
    /// something to lose, and is asked only when somebody wants to leave.
    Wish draw(PanelContext& context, const char* save, const std::function<bool()>& changed,
              const std::string& rect);
    /// What draw() will take of the window.
    static float height();

    /// Of the request that saves. The answer may come when the form is gone.
    contract::ClientEnd::OnAnswer on_answer();
    bool waiting() const noexcept { return state_->waiting; }
    /// Why the hub refused, once.
    std::optional<Error> take_refusal();

    /// As Cancel: something else wants the form's place.
    void leave(bool changed);
    bool asks() const noexcept { return asks_; }

private:
    Wish draw_question(PanelContext& context, const std::string& rect);

    struct State {
        bool waiting = false;
        bool done = false;
        std::optional<Error> refusal;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
    bool asks_ = false;
    bool left_ = false;
};

/// A sentence in red with its mark, wrapped.
void draw_refusal(const PanelContext& context, const std::string& text, const std::string& rect);

/// Before the fields of a dialog: Escape is then its own, and no field takes back what was typed into it.
void own_escape();
/// Escape was pressed for the current window, which owns it; no list hangs open above it.
bool escape_pressed();

}  // namespace labdeck::ui
