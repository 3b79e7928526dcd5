// A painted porcelain plate on linen, from above.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<0, 8.2, -3.4>, <0, 0.05, -0.03>, 22.5, 1)
Softbox(<-5, 6, 3>, <0, 0, 0>, 3.4, 3.4, <1, 0.97, 0.92>, 1.05)
Softbox(<6, 4, -3>, <0, 0, 0>, 3, 3, <0.86, 0.93, 1>, 0.3)
#declare Rad = function(x, z) { sqrt(x * x + z * z) }
#declare Ring = function(x, z) { 0.5 + 0.5 * sin(30 * atan2(z, x) + 9 * sin(11 * (Rad(x, z) - 1.32))) * exp(-pow((Rad(x, z) - 1.32) / 0.10, 2)) }
#declare Cream = pigment { rgb <0.80, 0.78, 0.73> }
#declare Profile = array[13] {
  <0.0001, 0.05>, <0.85, 0.04>, <0.95, 0.0>, <1.05, 0.05>, <1.20, 0.14>, <1.50, 0.20>, <1.60, 0.225>, <1.605, 0.25>,
  <1.58, 0.262>, <1.42, 0.235>, <1.18, 0.195>, <1.0, 0.10>, <0.0001, 0.09>
}
object {
  Turned(Profile, 160, 144)
  texture {
    pigment {
      function { Rad(x, z) / 2 }
      pigment_map {
        [0.5375 Cream]
        [0.54 rgb <0.04, 0.09, 0.28>]
        [0.5525 rgb <0.04, 0.09, 0.28>]
        [0.555 Cream]
        [0.58 Cream]
        [0.585 function { min(0.99, max(0, Ring(x, z))) } color_map { [0.52 rgb <0.80, 0.78, 0.73>] [0.75 rgb <0.80, 0.78, 0.73>] [0.80 rgb <0.05, 0.12, 0.36>] [0.9 rgb <0.03, 0.07, 0.24>] }]
        [0.735 function { min(0.99, max(0, Ring(x, z))) } color_map { [0.52 rgb <0.80, 0.78, 0.73>] [0.75 rgb <0.80, 0.78, 0.73>] [0.80 rgb <0.05, 0.12, 0.36>] [0.9 rgb <0.03, 0.07, 0.24>] }]
        [0.74 Cream]
        [0.76 Cream]
        [0.7625 rgb <0.04, 0.09, 0.28>]
        [0.7875 rgb <0.04, 0.09, 0.28>]
        [0.79 rgb <0.42, 0.28, 0.10>]
      }
    }
    normal { bumps 0.015 scale 0.3 }
    finish { ambient 0 diffuse 0.85 specular 0.5 roughness 0.006 reflection { 0, 0.55 fresnel } conserve_energy }
  }
  interior { ior 1.5 }
}
plane { y, 0 texture { Boards(<0.18, 0.105, 0.06>, <0.46, 0.31, 0.19>, 4.5, 0.3) scale 1.2 rotate y * 72 } interior { ior 1.4 } }
