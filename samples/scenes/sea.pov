// The sea in the evening, with the low sun's path on the water.
#version 3.7;
#include "common.inc"
Globals(false)
Still(<0, 5, 0>, <0, 5.6, 60>, 50, 1.5)
#declare Sun_Dir = vnormalize(<0.16, 0.115, 1>);
light_source { Sun_Dir * 100000, <1, 0.66, 0.38> * 1.1 * EV }
#declare Streaks = function(x, y, z) {
  0.55 * f_noise3d(x / (y + 0.10) * 0.55, 2, 1.6 * z / (y + 0.10)) + 0.28 * f_noise3d(x / (y + 0.10) * 1.4, 5, 4 * z / (y + 0.10))
  + 0.17 * f_noise3d(x / (y + 0.10) * 3.5, 5, 9 * z / (y + 0.10))
}
#declare DX = Sun_Dir.x; #declare DY = Sun_Dir.y; #declare DZ = Sun_Dir.z;
#declare Near = function(x, y, z) { max(0, x * DX + y * DY + z * DZ) }
sky_sphere {
  pigment {
    function { pow(max(0, y), 0.6) }
    color_map { [0 rgb <0.78, 0.44, 0.24> * EV] [0.16 rgb <0.62, 0.47, 0.40> * EV] [0.4 rgb <0.26, 0.36, 0.55> * EV] [1 rgb <0.08, 0.18, 0.42> * EV] }
  }
  pigment {
    function { min(0.999, pow(Near(x, y, z), 90)) }
    color_map { [0 rgbt <0, 0, 0, 1>] [0.999 rgbt <1.35, 0.62, 0.20, 0> * <EV, EV, EV, 1> + <0, 0, 0, 0.15>] }
  }
  pigment {
    function { Streaks(x, max(0, y), z) }
    color_map {
      [0.50 rgbt <0, 0, 0, 1>] [0.60 rgbt <0.62, 0.44, 0.40, 0> * <EV, EV, EV, 1> + <0, 0, 0, 0.45>]
      [0.72 rgbt <0.38, 0.33, 0.40, 0> * <EV, EV, EV, 1> + <0, 0, 0, 0.2>]
    }
  }
  pigment {
    function { min(0.999, max(0, (Near(x, y, z) - 0.99972) / 0.0002)) }
    color_map { [0 rgbt <0, 0, 0, 1>] [0.6 rgbt <8, 5.5, 3, 0> * <EV, EV, EV, 1>] }
  }
}
// Swell, waves and ripples, all stretched across the wind.
plane {
  y, 0
  texture {
    pigment { rgb <0.010, 0.035, 0.055> }
    normal {
      function {
        (9.0 * f_noise3d(x * 0.035, 1, z * 0.11) + 3.4 * f_noise3d(x * 0.13 + 5, 2, z * 0.36 + 0.05 * x) + 1.5 * f_noise3d(x * 0.42, 3, z * 1.0 - 0.2 * x)
        + 0.55 * f_noise3d(x * 1.5, 4, z * 2.7) + 0.16 * f_noise3d(x * 5, 5, z * 8)) / 15
      }
      11.25
    }
    finish { ambient 0 diffuse 0.6 specular 0.5 roughness 0.004 reflection { 0.02, 1 fresnel } conserve_energy }
  }
  interior { ior 1.33 }
}
// A headland far to the left.
#declare CX = function(u, v) { -330 + 230 * v }
#declare CZ = function(u, v) { 420 + 100 * u }
#declare CY = function(u, v) { (30 * (1 - v) + 12 * (f_noise3d(v * 6, 1, u * 2) - 0.45) + 4 * f_noise3d(v * 30, 2, u * 9) + 1.2 * f_noise3d(v * 120, 2, u * 30)) * sin(pi * u) * (1 - pow(v, 6)) - 2 }
object {
  Surface(CX, CY, CZ, 24, 240)
  texture { pigment { bozo color_map { [0 rgb <0.05, 0.05, 0.055>] [1 rgb <0.12, 0.10, 0.09>] } scale 4 } normal { granite 0.7 scale 8 } finish { ambient 0 diffuse 0.8 emission <0.10, 0.08, 0.09> * EV } }
}
fog { fog_type 2 fog_offset 0 fog_alt 12 distance 1500 rgb <0.84, 0.58, 0.42> * EV }
