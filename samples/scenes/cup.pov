// A blue stoneware mug on white linen.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<0.6, 3.4, -7.0>, <0.25, 0.95, 0>, 34, 1)
Softbox(<-5, 5.5, -2>, <0, 1, 0>, 3.4, 3.4, <1, 0.97, 0.92>, 0.95)
Softbox(<6, 4, -4>, <0, 1, 0>, 3, 3, <0.86, 0.93, 1>, 0.32)

#declare HX = function(u, v) { 0.98 + (0.52 + 0.10 * cos(2 * pi * v)) * sin(pi * u) * 1.18 - 0.12 }
#declare HY = function(u, v) { 1.08 + (0.60 + 0.10 * cos(2 * pi * v)) * cos(pi * u) }
#declare HZ = function(u, v) { (0.15 - 0.02 * sin(pi * u)) * sin(2 * pi * v) }
// Cobalt outside, and inside a cream glaze with iron specks.
#declare Blue = <0.03, 0.10, 0.27>;
#declare Cream = pigment {
  function { f_noise3d(x * 30, y * 30, z * 30) }
  color_map { [0.1 rgb <0.10, 0.06, 0.03>] [0.24 rgb <0.60, 0.58, 0.54>] [1 rgb <0.80, 0.78, 0.73>] }
}
#declare Cobalt = pigment {
  function { f_noise3d(x * 16, y * 9, z * 16) * 0.6 + f_noise3d(x * 40, y * 40, z * 40) * 0.4 }
  color_map { [0.15 rgb Blue * 0.55] [0.5 rgb Blue] [0.85 rgb Blue * 1.35] }
}
#declare Stoneware = pigment {
  function { min(0.999, (x * x + z * z) / 1.3 + 3 * max(0, 0.12 - y)) }
  pigment_map { [0.655 Cream] [0.68 Cobalt] }
}
#declare Profile = array[17] {
  <0.0001, 0.08>, <0.60, 0.06>, <0.74, 0.0>, <0.84, 0.05>, <0.93, 0.20>, <0.97, 0.55>, <0.985, 1.10>, <0.99, 1.70>,
  <1.0, 2.02>, <0.965, 2.065>, <0.925, 2.03>, <0.91, 1.70>, <0.90, 1.10>, <0.885, 0.55>, <0.84, 0.28>, <0.6, 0.18>,
  <0.0001, 0.16>
}
union {
  object {
    Turned(Profile, 160, 144)
    texture {
      pigment {
        function { max(0, y + 0.035 * f_noise3d(atan2(z, x) * 5, 1, 2)) / 2.5 }
        pigment_map {
          [0.060 rgb <0.36, 0.24, 0.15>]
          [0.068 Stoneware]
          [0.800 Stoneware]
          [0.824 rgb <0.30, 0.24, 0.17>]
        }
      }
      normal { bumps 0.03 scale <0.5, 0.06, 0.5> }
      finish { ambient 0 diffuse 0.85 specular 0.4 roughness 0.01 reflection { 0, 0.5 fresnel } conserve_energy }
    }
  }
  object {
    Surface(HX, HY, HZ, 60, 32)
    texture { Glaze(Blue) }
  }
  disc {
    <0, 1.78, 0>, y, 0.92
    texture {
      pigment {
        function { sqrt(x * x + z * z) + 0.05 * f_noise3d(x * 7, 0, z * 7) }
        color_map { [0.80 rgb <0.045, 0.016, 0.006>] [0.90 rgb <0.20, 0.095, 0.035>] [0.93 rgb <0.32, 0.18, 0.08>] }
      }
      finish { ambient 0 diffuse 0.8 reflection { 0.0, 0.8 fresnel } conserve_energy }
    }
  }
  interior { ior 1.5 }
  scale <0.93, 1.1, 0.93> rotate y * 4
}
plane { y, 0 texture { Linen(<0.80, 0.78, 0.74>) scale 0.9 rotate y * 12 } }
plane { z, 12 texture { Blurred(<0.62, 0.66, 0.68>, <1.15, 1.12, 1.05>, 5, 0.9) } }
