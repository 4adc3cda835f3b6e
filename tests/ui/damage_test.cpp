#include "ui/damage.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <memory>

namespace labdeck::ui {
namespace {

void no_callback(const ImDrawList*, const ImDrawCmd*) {}

/// A frame of 320 x 320 made by hand: ten cells a side.
class Frame {
public:
    Frame() : list_(&shared_) {
        shared_.TexUvWhitePixel = {0, 0};
        list_._ResetForNewFrame();
        list_.PushClipRect({0, 0}, {320, 320});
        list_.PushTextureID(nullptr);
        data.DisplaySize = {320, 320};
        data.FramebufferScale = {1, 1};
    }
    Frame& rect(float x, float y, float size, ImU32 colour = 0xffffffffU) {
        list_.AddRectFilled({x, y}, {x + size, y + size}, colour);
        return *this;
    }
    Frame& callback(ImVec2 min, ImVec2 max) {
        list_.PushClipRect(min, max);
        list_.AddCallback(no_callback, nullptr);
        list_.PopClipRect();
        return *this;
    }
    const ImDrawData& done() {
        data.CmdLists.clear();
        data.CmdLists.push_back(&list_);
        data.CmdListsCount = 1;
        return data;
    }
    ImDrawList& list() { return list_; }

    ImDrawData data;

private:
    ImDrawListSharedData shared_;
    ImDrawList list_;
};

bool covers(const std::vector<Damage::Area>& areas, float x, float y) {
    for (const auto& area : areas) {
        if (x >= area.left && x < area.right && y >= area.top && y < area.bottom) return true;
    }
    return false;
}

TEST_SUITE("ui/damage") {
    TEST_CASE("the first frame is new as a whole, the same one again not at all") {
        Damage damage;
        CHECK(covers(damage.find(Frame().rect(10, 10, 50).done()), 300, 300));
        CHECK(damage.find(Frame().rect(10, 10, 50).done()).empty());
        damage.forget();
        CHECK_FALSE(damage.find(Frame().rect(10, 10, 50).done()).empty());
    }
    TEST_CASE("what moves dirties where it was and where it is, and nothing else") {
        Damage damage;
        damage.find(Frame().rect(200, 200, 40).rect(10, 10, 20).done());
        const auto& areas = damage.find(Frame().rect(200, 200, 40).rect(100, 10, 20).done());
        CHECK(covers(areas, 20, 20));
        CHECK(covers(areas, 110, 20));
        CHECK_FALSE(covers(areas, 210, 210));
        CHECK_FALSE(covers(areas, 60, 20));
    }
    TEST_CASE("another colour, and another order, are changes") {
        Damage damage;
        damage.find(Frame().rect(10, 10, 20, 0xff0000ffU).rect(15, 15, 20, 0xff00ff00U).done());
        CHECK_FALSE(
            damage.find(Frame().rect(15, 15, 20, 0xff00ff00U).rect(10, 10, 20, 0xff0000ffU).done()).empty());
        CHECK_FALSE(
            damage.find(Frame().rect(15, 15, 20, 0xff00ff01U).rect(10, 10, 20, 0xff0000ffU).done()).empty());
    }
    TEST_CASE("what a callback may draw counts as changed each time") {
        Damage damage;
        damage.find(Frame().callback({64, 64}, {128, 128}).done());
        const auto& areas = damage.find(Frame().callback({64, 64}, {128, 128}).done());
        CHECK(covers(areas, 100, 100));
        CHECK_FALSE(covers(areas, 250, 250));
    }
    TEST_CASE("areas stay few and do not overlap") {
        Damage damage;
        damage.find(Frame().done());
        Frame frame;
        for (int i = 0; i < 50; ++i)
            frame.rect(static_cast<float>(i % 5 * 64 + 4), static_cast<float>(i / 5 * 32 + 4), 8);
        const auto& areas = damage.find(frame.done());
        CHECK(areas.size() <= Damage::rects_max);
        for (int i = 0; i < 50; ++i) {
            CHECK(covers(areas, static_cast<float>(i % 5 * 64 + 6), static_cast<float>(i / 5 * 32 + 6)));
        }
        for (std::size_t i = 0; i < areas.size(); ++i) {
            for (std::size_t k = i + 1; k < areas.size(); ++k) {
                const bool apart = areas[i].right <= areas[k].left || areas[k].right <= areas[i].left ||
                                   areas[i].bottom <= areas[k].top || areas[k].bottom <= areas[i].top;
                CHECK(apart);
            }
        }
    }
    TEST_CASE("clipping repeats a command for each area, and gives the lists back as they were") {
        Frame frame;
        frame.rect(0, 0, 320);
        frame.done();
        const int commands = frame.list().CmdBuffer.Size;
        const ImVec4 clip_before = frame.list().CmdBuffer[0].ClipRect;
        {
            const DamageClip clip(frame.data, {{0, 0, 32, 32}, {64, 64, 96, 96}});
            REQUIRE(frame.list().CmdBuffer.Size == 2 * commands);
            CHECK(frame.list().CmdBuffer[0].ClipRect.z == 32);
            CHECK(frame.list().CmdBuffer[1].ClipRect.x == 64);
        }
        CHECK(frame.list().CmdBuffer.Size == commands);
        CHECK(frame.list().CmdBuffer[0].ClipRect.z == clip_before.z);
    }

    TEST_CASE("of what is in no area nothing is drawn, and of what is in several each has it once") {
        Frame frame;
        frame.rect(10, 10, 60).rect(200, 200, 20).rect(70, 70, 10);
        frame.done();
        // The first rectangle lies in both, over several cells; the last in the second alone.
        const DamageClip clip(frame.data, {{0, 0, 64, 64}, {64, 64, 128, 96}});
        REQUIRE(frame.list().CmdBuffer.Size == 2);
        CHECK(frame.list().CmdBuffer[0].ElemCount == 6);
        CHECK(frame.list().CmdBuffer[1].ElemCount == 12);
    }
}

}  // namespace
}  // namespace labdeck::ui
