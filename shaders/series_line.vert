#version 330 core
// One instance a segment, from entry i of the ring to entry i+1; four corners of a quad around it.
// Positions are in pixels, from the plot's top left corner down.
layout(location = 0) in uint time_a;
layout(location = 1) in uint time_b;
layout(location = 2) in vec2 range_b;
layout(location = 3) in vec2 range_a;

uniform uint tick_left;
uniform float tick_fraction;
uniform float px_per_tick;
uniform float value_top;
uniform float px_per_value;
uniform vec4 plot;  // x, y, width, height
uniform vec2 framebuffer;
uniform float line_px;
uniform int last_instance;  // The one that has no entry i+1.

flat out vec2 from;
flat out vec2 to;
noperspective out vec2 here;

const float far_px = 16384.0;
const float margin_px = 16.0;

vec2 place(uint time, float value) {
    // The difference is exact in integers, however long the program has been running.
    float x = (float(int(time - tick_left)) - tick_fraction) * px_per_tick;
    return vec2(x, clamp((value_top - value) * px_per_value, -far_px, far_px));
}

void main() {
    vec2 a = place(time_a, range_a.y);
    bool has_next = gl_InstanceID != last_instance && !isnan(range_b.y);
    vec2 b = has_next ? place(time_b, range_b.y) : a;
    bool outside = max(a.x, b.x) < -margin_px || min(a.x, b.x) > plot.z + margin_px;
    if (isnan(range_a.y) || outside) {
        from = to = here = vec2(0.0);
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        return;
    }
    // Ends that lie far outside are brought near, where a float still has fractions of a pixel.
    if (b.x - a.x > margin_px) {
        vec2 step_px = (b - a) / (b.x - a.x);
        vec2 start = a;
        if (a.x < -margin_px) a = start + step_px * (-margin_px - start.x);
        if (b.x > plot.z + margin_px) b = start + step_px * (plot.z + margin_px - start.x);
    }
    vec2 along = b - a;
    float length_px = length(along);
    along = length_px > 1e-4 ? along / length_px : vec2(1.0, 0.0);
    float reach = line_px * 0.5 + 1.0;
    bool at_end = (gl_VertexID & 1) != 0;
    float side = (gl_VertexID & 2) != 0 ? 1.0 : -1.0;
    from = a;
    to = b;
    here = (at_end ? b + along * reach : a - along * reach) + vec2(-along.y, along.x) * side * reach;
    vec2 unit = (plot.xy + here) / framebuffer;
    gl_Position = vec4(unit.x * 2.0 - 1.0, 1.0 - unit.y * 2.0, 0.0, 1.0);
}
