#version 330 core
// One instance a column: up to eight entries of the ring, joined into one range from min to max. A group of fewer
// names its entries repeatedly. Positions are in pixels, from the plot's top left corner down.
layout(location = 0) in uint time_a;
layout(location = 1) in uint time_b;
layout(location = 2) in vec2 range_b;  // Of the first entry after the group.
layout(location = 3) in vec2 range_0;
layout(location = 4) in vec2 range_1;
layout(location = 5) in vec2 range_2;
layout(location = 6) in vec2 range_3;
layout(location = 7) in vec2 range_4;
layout(location = 8) in vec2 range_5;
layout(location = 9) in vec2 range_6;
layout(location = 10) in vec2 range_7;

uniform uint tick_left;
uniform float tick_fraction;
uniform float px_per_tick;
uniform float value_top;
uniform float px_per_value;
uniform vec4 plot;  // x, y, width, height
uniform vec2 framebuffer;
uniform float line_px;
uniform float column_px;  // Whole pixels.
uniform int last_instance;  // The one that has no entry after it.

noperspective out vec2 edges;  // Top and bottom of the column here.
noperspective out float here_y;

const float far_px = 16384.0;
const float margin_px = 16.0;
const float none = 3e38;

void take(vec2 range, inout float low, inout float high) {
    if (isnan(range.x)) return;
    low = min(low, range.x);
    high = max(high, range.y);
}

float column(uint time) {
    // The difference is exact in integers, however long the program has been running. The thousandth of a pixel
    // keeps entries that lie on a column's border from falling on either side of it by rounding.
    float x = (float(int(time - tick_left)) - tick_fraction) * px_per_tick;
    return floor(x / column_px + 0.001) * column_px;
}

vec2 height(float low, float high) {
    float top = clamp((value_top - high) * px_per_value, -far_px, far_px);
    float bottom = clamp((value_top - low) * px_per_value, -far_px, far_px);
    float lacking = max(0.0, max(line_px, 1.0) - (bottom - top)) * 0.5;
    return vec2(top - lacking, bottom + lacking);
}

void main() {
    float low = none;
    float high = -none;
    take(range_0, low, high);
    take(range_1, low, high);
    take(range_2, low, high);
    take(range_3, low, high);
    take(range_4, low, high);
    take(range_5, low, high);
    take(range_6, low, high);
    take(range_7, low, high);
    bool has_next = gl_InstanceID != last_instance && !isnan(range_b.x);
    float left = column(time_a);
    float right = has_next ? max(column(time_b), left + column_px) : left + column_px;
    if (low > high || right < -margin_px || left > plot.z + margin_px) {
        edges = vec2(0.0);
        here_y = 0.0;
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        return;
    }
    // Neighbours touch, so that a steep line has no holes; a pause between entries becomes a slope.
    bool slope = right - left > 3.0 * column_px;
    if (has_next && !slope) {
        low = min(low, range_b.y);
        high = max(high, range_b.x);
    }
    vec2 start = height(low, high);
    vec2 end = slope ? height(range_b.x, range_b.y) : start;
    vec2 per_px = (end - start) / (right - left);
    float shown_left = max(left, -margin_px);
    float shown_right = min(right, plot.z + margin_px);
    end = start + per_px * (shown_right - left);
    start += per_px * (shown_left - left);

    bool at_right = (gl_VertexID & 1) != 0;
    bool at_bottom = (gl_VertexID & 2) != 0;
    edges = at_right ? end : start;
    here_y = at_bottom ? edges.y + 1.0 : edges.x - 1.0;
    vec2 unit = (plot.xy + vec2(at_right ? shown_right : shown_left, here_y)) / framebuffer;
    gl_Position = vec4(unit.x * 2.0 - 1.0, 1.0 - unit.y * 2.0, 0.0, 1.0);
}
