#include "ui/rects.h"

namespace labdeck::ui {

namespace {

struct Noted {
    std::map<std::string, Rect, std::less<>> rects;
    int frame = -1;
};

Noted& noted() {
    static Noted all;
    return all;
}

}  // namespace

void note_rect(std::string_view id) {
    Noted& all = noted();
    const int frame = ImGui::GetFrameCount();
    if (frame != all.frame) {
        all.frame = frame;
        all.rects.clear();
    }
    all.rects.insert_or_assign(std::string(id), Rect{ImGui::GetItemRectMin(), ImGui::GetItemRectMax()});
}

const std::map<std::string, Rect, std::less<>>& rects() {
    return noted().rects;
}

}  // namespace labdeck::ui
