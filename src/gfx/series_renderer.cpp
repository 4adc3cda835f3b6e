#include "gfx/series_renderer.h"

#include <glad/gl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "base/assert.h"
#include "gfx/shader.h"

namespace labdeck::gfx {
namespace {

static_assert(sizeof(SeriesVertex) == 12, "the attribute pointers count on it");

constexpr std::uint32_t group_max = 8;
// A group that begins on the ring's last slot, and the entry after it, are read on beyond the ring's end.
constexpr std::size_t copies_max = group_max + 1;

// Locations in the shaders.
enum Attribute : GLuint { time_a = 0, time_b = 1, range_b = 2, range_a = 3 };

// The GPU's copy of one level: entries [first, end) of the caller's ring, at the same slots.
struct Ring {
    GLuint buffer = 0;
    std::size_t size = 0;
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    SeriesVertex newest{};  ///< Entry end - 1, as it was sent.
};

// A program with its uniforms.
struct Program {
    Shader shader;
    GLint tick_left, tick_fraction, px_per_tick, value_top, px_per_value, plot, framebuffer;
    GLint colour, background, line_px, column_px, band_alpha, last_instance;

    explicit Program(Shader loaded)
        : shader(std::move(loaded)),
          tick_left(shader.uniform("tick_left")),
          tick_fraction(shader.uniform("tick_fraction")),
          px_per_tick(shader.uniform("px_per_tick")),
          value_top(shader.uniform("value_top")),
          px_per_value(shader.uniform("px_per_value")),
          plot(shader.uniform("plot")),
          framebuffer(shader.uniform("framebuffer")),
          colour(shader.uniform("colour")),
          background(shader.uniform("background")),
          line_px(shader.uniform("line_px")),
          column_px(shader.uniform("column_px")),
          band_alpha(shader.uniform("band_alpha")),
          last_instance(shader.uniform("last_instance")) {}
};

std::array<float, 4> unpack(std::uint32_t rgba) {
    std::array<float, 4> parts{};
    for (std::size_t i = 0; i < 4; ++i) parts[i] = static_cast<float>(rgba >> (8 * i) & 0xffU) / 255.0F;
    return parts;
}

bool is_dark(const std::array<float, 4>& colour) {
    return 0.299F * colour[0] + 0.587F * colour[1] + 0.114F * colour[2] < 0.5F;
}

// Bytes, not values: a NaN is equal to itself here.
bool same_bytes(const SeriesVertex& a, const SeriesVertex& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

void set_uniforms(const Program& program, const SeriesPlot& plot, const SeriesStyle& style) {
    const auto colour = unpack(style.rgba);
    const auto background = unpack(style.background);
    glUniform1ui(program.tick_left, plot.tick_left);
    glUniform1f(program.tick_fraction, plot.tick_fraction);
    glUniform1f(program.px_per_tick, static_cast<float>(plot.width / plot.ticks_wide));
    glUniform1f(program.value_top, plot.value_top);
    glUniform1f(program.px_per_value, plot.height / (plot.value_top - plot.value_bottom));
    glUniform4f(program.plot, plot.x, plot.y, plot.width, plot.height);
    glUniform2f(program.framebuffer, plot.framebuffer_width, plot.framebuffer_height);
    glUniform4fv(program.colour, 1, colour.data());
    glUniform4fv(program.background, 1, background.data());
    glUniform1f(program.line_px, style.line_px);
    glUniform1f(program.column_px, std::max(1.0F, std::round(style.column_px)));
    glUniform1f(program.band_alpha, style.band_alpha);
    if (style.shape == SeriesShape::line) {
        glBlendEquation(GL_FUNC_ADD);
        glBlendFuncSeparate(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA, GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
    } else {
        glBlendEquation(is_dark(background) ? GL_MAX : GL_MIN);
    }
}

// False when nothing of the plot can be seen.
bool set_scissor(const SeriesPlot& plot) {
    const auto left = static_cast<GLint>(std::lround(std::max(plot.x, plot.clip_left)));
    const auto top = static_cast<GLint>(std::lround(std::max(plot.y, plot.clip_top)));
    const auto right = static_cast<GLint>(std::lround(std::min(plot.x + plot.width, plot.clip_right)));
    const auto bottom = static_cast<GLint>(std::lround(std::min(plot.y + plot.height, plot.clip_bottom)));
    if (left >= right || top >= bottom) return false;
    glScissor(left, static_cast<GLint>(plot.framebuffer_height) - bottom, right - left, bottom - top);
    return true;
}

const void* offset_of(std::size_t slot, std::size_t member) {
    return reinterpret_cast<const void*>(slot * sizeof(SeriesVertex) + member);
}

// Groups of `group` entries, the first beginning at `slot`: one instance each.
void set_attributes(std::size_t slot, std::uint32_t group) {
    const auto stride = static_cast<GLsizei>(group * sizeof(SeriesVertex));
    const std::size_t next = slot + group;
    glVertexAttribIPointer(time_a, 1, GL_UNSIGNED_INT, stride, offset_of(slot, offsetof(SeriesVertex, time)));
    glVertexAttribIPointer(time_b, 1, GL_UNSIGNED_INT, stride, offset_of(next, offsetof(SeriesVertex, time)));
    glVertexAttribPointer(range_b, 2, GL_FLOAT, GL_FALSE, stride,
                          offset_of(next, offsetof(SeriesVertex, min)));
    for (std::uint32_t i = 0; i < group_max; ++i) {
        glVertexAttribPointer(range_a + i, 2, GL_FLOAT, GL_FALSE, stride,
                              offset_of(slot + i % group, offsetof(SeriesVertex, min)));
    }
}

}  // namespace

struct SeriesRenderer::Impl {
    Program line, band;
    GLuint vertex_array = 0;
    std::map<std::pair<const void*, std::size_t>, Ring> rings;
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t drawn_instances = 0;

    Impl(Shader line_shader, Shader band_shader)
        : line(std::move(line_shader)), band(std::move(band_shader)) {
        glGenVertexArrays(1, &vertex_array);
        glBindVertexArray(vertex_array);
        for (GLuint i = 0; i < range_a + group_max; ++i) {
            glEnableVertexAttribArray(i);
            glVertexAttribDivisor(i, 1);
        }
        glBindVertexArray(0);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        for (auto& [key, ring] : rings) glDeleteBuffers(1, &ring.buffer);
        glDeleteVertexArrays(1, &vertex_array);
    }

    Ring& ring_for(const void* key, std::size_t level, std::size_t size);
    void send_slots(const Ring& ring, const SeriesVertex* from, std::size_t slot, std::size_t count);
    void send(const Ring& ring, const RingView& view, std::uint64_t first, std::uint64_t end);
    void draw_run(const Program& program, const Ring& ring, std::uint64_t first, std::uint64_t end,
                  std::uint32_t group, bool last);
};

Ring& SeriesRenderer::Impl::ring_for(const void* key, std::size_t level, std::size_t size) {
    Ring& ring = rings[{key, level}];
    if (ring.buffer == 0) glGenBuffers(1, &ring.buffer);
    glBindBuffer(GL_ARRAY_BUFFER, ring.buffer);
    if (ring.size != size) {
        const std::size_t bytes = (size + copies_max) * sizeof(SeriesVertex);
        glBufferData(GL_ARRAY_BUFFER, static_cast<GLsizeiptr>(bytes), nullptr, GL_DYNAMIC_DRAW);
        ring.size = size;
        ring.first = ring.end = 0;
    }
    return ring;
}

void SeriesRenderer::Impl::send_slots(const Ring& ring, const SeriesVertex* from, std::size_t slot,
                                      std::size_t count) {
    const auto put = [&](std::size_t at, const SeriesVertex* entries, std::size_t n) {
        const std::size_t bytes = n * sizeof(SeriesVertex);
        glBufferSubData(GL_ARRAY_BUFFER, static_cast<GLintptr>(at * sizeof(SeriesVertex)),
                        static_cast<GLsizeiptr>(bytes), entries);
        uploaded_bytes += bytes;
    };
    put(slot, from, count);
    const std::size_t copies = std::min(copies_max, ring.size);
    if (slot < copies) put(ring.size + slot, from, std::min(count, copies - slot));
}

void SeriesRenderer::Impl::send(const Ring& ring, const RingView& view, std::uint64_t first,
                                std::uint64_t end) {
    while (first < end) {
        const std::size_t slot = first % ring.size;
        const std::size_t count = std::min<std::uint64_t>(end - first, ring.size - slot);
        send_slots(ring, view.ring + slot, slot, count);
        first += count;
    }
}

void SeriesRenderer::Impl::draw_run(const Program& program, const Ring& ring, std::uint64_t first,
                                    std::uint64_t end, std::uint32_t group, bool last) {
    while (first < end) {
        const std::size_t slot = first % ring.size;
        const std::size_t room = (ring.size - slot + group - 1) / group;
        const std::size_t count = std::min<std::uint64_t>((end - first) / group, room);
        const bool finishes = first + count * group >= end;
        set_attributes(slot, group);
        glUniform1i(program.last_instance, last && finishes ? static_cast<GLint>(count) - 1 : -1);
        glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, static_cast<GLsizei>(count));
        drawn_instances += count;
        first += count * group;
    }
}

SeriesRenderer::SeriesRenderer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SeriesRenderer::~SeriesRenderer() = default;

Result<std::unique_ptr<SeriesRenderer>> SeriesRenderer::create() {
    Shader line = LD_TRY(Shader::load("series_line"));
    Shader band = LD_TRY(Shader::load("series_band"));
    auto impl = std::make_unique<Impl>(std::move(line), std::move(band));
    return std::unique_ptr<SeriesRenderer>(new SeriesRenderer(std::move(impl)));
}

void SeriesRenderer::upload(const void* key, std::size_t level, const RingView& view, std::uint64_t first,
                            std::uint64_t end) {
    first = std::max(first, view.first);
    end = std::min(end, view.count);
    if (view.size == 0 || first >= end) return;
    LD_ASSERT(view.count - view.first <= view.size);
    Ring& ring = impl_->ring_for(key, level, view.size);
    const bool another =
        ring.end > view.count || (ring.end > view.first && ring.end > ring.first &&
                                  !same_bytes(view.ring[(ring.end - 1) % view.size], ring.newest));
    ring.first = std::max(ring.first, view.first);
    if (another || ring.first >= ring.end || first > ring.end || end < ring.first) {
        impl_->send(ring, view, first, end);
        ring.first = first;
        ring.end = end;
    } else {
        if (first < ring.first) impl_->send(ring, view, first, ring.first);
        if (end > ring.end) impl_->send(ring, view, ring.end, end);
        ring.first = std::min(ring.first, first);
        ring.end = std::max(ring.end, end);
    }
    ring.newest = view.ring[(ring.end - 1) % view.size];
}

void SeriesRenderer::draw(const void* key, std::size_t level, std::uint64_t first, std::uint64_t end,
                          const SeriesPlot& plot, const SeriesStyle& style) {
    const auto found = impl_->rings.find({key, level});
    if (found == impl_->rings.end()) return;
    const Ring& ring = found->second;
    first = std::max(first, ring.first);
    end = std::min(end, ring.end);
    if (first >= end || plot.ticks_wide <= 0 || plot.value_top <= plot.value_bottom || !set_scissor(plot))
        return;
    glViewport(0, 0, static_cast<GLsizei>(plot.framebuffer_width),
               static_cast<GLsizei>(plot.framebuffer_height));
    glEnable(GL_SCISSOR_TEST);
    glEnable(GL_BLEND);

    const Program& program = style.shape == SeriesShape::line ? impl_->line : impl_->band;
    program.shader.use();
    set_uniforms(program, plot, style);
    glBindVertexArray(impl_->vertex_array);
    glBindBuffer(GL_ARRAY_BUFFER, ring.buffer);

    // Groups begin at multiples of their size, so that a column holds the same entries however the view
    // moves.
    std::uint32_t group = style.shape == SeriesShape::band ? std::clamp(style.group, 1U, group_max) : 1U;
    if (!std::has_single_bit(group) || ring.size < 2 * copies_max) group = 1;
    const std::uint64_t head = std::min(end, (first + group - 1) / group * group);
    const std::uint64_t tail = std::max(head, end / group * group);
    impl_->draw_run(program, ring, first, head, 1, head == end);
    impl_->draw_run(program, ring, head, tail, group, tail == end);
    impl_->draw_run(program, ring, tail, end, 1, true);
}

void SeriesRenderer::forget(const void* key) {
    auto ring = impl_->rings.lower_bound({key, 0});
    while (ring != impl_->rings.end() && ring->first.first == key) {
        glDeleteBuffers(1, &ring->second.buffer);
        ring = impl_->rings.erase(ring);
    }
}

std::uint64_t SeriesRenderer::uploaded_bytes() const noexcept {
    return impl_->uploaded_bytes;
}
std::uint64_t SeriesRenderer::drawn_instances() const noexcept {
    return impl_->drawn_instances;
}

}  // namespace labdeck::gfx
