// toast_stack.h - notices at the window's lower right, the newest at the bottom.
//
// Errors stay until somebody dismisses them, others for six seconds, and all while the mouse is over them. A
// level is told by a mark, by a colour and by words.
#pragma once

#include <imgui.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "ui/notices.h"
#include "ui/panel.h"

namespace labdeck::ui {

class ToastStack {
public:
    static constexpr std::size_t shown_max = 4;

    /// The oldest goes where there is no more room.
    void add(Notice notice, MonoTime now);
    std::size_t size() const noexcept { return toasts_.size(); }

    /// Draws above everything, up from `corner`. The notice that was clicked, if one was; it then goes.
    std::optional<Notice> draw(PanelContext& context, ImVec2 corner);

    /// When one of them is to go; {0} for never.
    MonoTime wants_frame() const noexcept;

private:
    struct Toast {
        Notice notice;
        std::uint64_t number;  ///< Which window is its own.
        MonoTime until;        ///< {0}: until somebody dismisses it.
        bool held = false;     ///< The mouse is over it.
    };
    /// What a hand does to one.
    enum class Touch : unsigned char { none, open, dismiss };
    static Touch take_touch(const std::string& rect, ImVec2 min, ImVec2 size, float s);
    /// Draws one and moves `corner` above it.
    static Touch draw_toast(PanelContext& context, Toast& toast, std::size_t place, ImVec2& corner);

    std::deque<Toast> toasts_;
    std::uint64_t next_number_ = 0;
};

}  // namespace labdeck::ui
