#version 330 core
// Full colour along both edges, thinner between them. Mixed with the background here, because the blending is by
// maximum or minimum: columns that share a pixel must not add up.
noperspective in vec2 edges;
noperspective in float here_y;

uniform vec4 colour;
uniform vec4 background;
uniform float line_px;
uniform float band_alpha;

out vec4 fragment;

void main() {
    float from_top = here_y - edges.x;
    float from_bottom = edges.y - here_y;
    float cover = clamp(from_top + 0.5, 0.0, 1.0) * clamp(from_bottom + 0.5, 0.0, 1.0);
    float edge = 1.0 - smoothstep(line_px - 0.5, line_px + 0.5, min(from_top, from_bottom));
    float alpha = colour.a * cover * mix(band_alpha, 1.0, edge);
    fragment = vec4(mix(background.rgb, colour.rgb, alpha), 1.0);
}
