// A material for machines that draw on the processor: one sun, a sky, a highlight; no shadow maps, no
// clusters of lights. About a tenth of the cost of the physically based one there.
#import bevy_pbr::forward_io::VertexOutput
#import bevy_pbr::mesh_view_bindings::view

struct Matte {
    color: vec4<f32>,
    // x: where a floor begins to fade into the background, metres.
    floor: vec4<f32>,
    background: vec4<f32>,
}
@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> matte: Matte;

fn grid(p: vec2<f32>, spacing: f32) -> f32 {
    let q = p / spacing;
    let width = max(fwidth(q), vec2<f32>(1e-5));
    let line = abs(fract(q - 0.5) - 0.5) / width;
    // Lines that are closer than pixels would shimmer.
    let visible = 1.0 - smoothstep(0.2, 0.7, max(width.x, width.y));
    return (1.0 - min(min(line.x, line.y), 1.0)) * visible;
}

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
#ifdef FLOOR
    let p = in.world_position.xz;
    let lines = 0.35 * grid(p, 0.1) + 0.65 * grid(p, 0.5);
    let lit = matte.color.rgb * (0.85 + 0.55 * lines);
    let far = smoothstep(matte.floor.x, 2.0 * matte.floor.x, length(p));
    return vec4<f32>(mix(lit, matte.background.rgb, far), 1.0);
#else
    let normal = normalize(in.world_normal);
    let to_sun = vec3<f32>(-0.40, 0.78, 0.48);
    let sun = max(dot(normal, to_sun), 0.0);
    let sky = 0.5 + 0.5 * normal.y;
    let to_eye = normalize(view.world_position - in.world_position.xyz);
    let half_way = normalize(to_sun + to_eye);
    let shine = pow(max(dot(normal, half_way), 0.0), 32.0);
    let edge = pow(1.0 - max(dot(normal, to_eye), 0.0), 3.0);
    let light = 0.16 + 0.30 * sky + 0.72 * sun + 0.10 * edge;
    return vec4<f32>(matte.color.rgb * light + vec3<f32>(0.12 * shine), matte.color.a);
#endif
}
