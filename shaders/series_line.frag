#version 330 core
// The distance to the segment gives the edge its smoothness and the joins their roundness.
flat in vec2 from;
flat in vec2 to;
noperspective in vec2 here;

uniform vec4 colour;
uniform float line_px;

out vec4 fragment;

void main() {
    vec2 along = to - from;
    float whole = dot(along, along);
    float t = whole > 1e-8 ? clamp(dot(here - from, along) / whole, 0.0, 1.0) : 0.0;
    float distance_px = distance(here, from + along * t);
    float cover = 1.0 - smoothstep(line_px * 0.5 - 0.5, line_px * 0.5 + 0.5, distance_px);
    fragment = vec4(colour.rgb, colour.a * cover);
}
