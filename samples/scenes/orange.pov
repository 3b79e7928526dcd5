// A whole orange and its leaf, with a halved one leaning behind it.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<-0.5, 2.6, -6.2>, <0.22, 0.92, 0.15>, 30.5, 1)
Softbox(<-4, 5.5, -3.5>, <0, 0.8, 0>, 3.2, 2.6, <1, 0.94, 0.84>, 1.1)
Softbox(<6, 3, -3>, <0, 0.8, 0>, 3, 3, <0.85, 0.92, 1>, 0.3)

#declare Peel = texture {
  pigment {
    function { 0.6 * f_noise3d(x * 1.4, y * 1.4, z * 1.4) + 0.4 * f_noise3d(x * 14, y * 14, z * 14) }
    color_map { [0.25 rgb <0.74, 0.20, 0.008>] [0.6 rgb <0.90, 0.30, 0.012>] [0.85 rgb <0.92, 0.38, 0.03>] }
  }
  normal {
    average
    normal_map {
      [1.4 bumps 0.55 scale 0.034]
      [0.8 wrinkles 0.25 scale 0.10]
      [0.6 bumps 0.3 scale 0.5]
    }
  }
  finish { ambient 0 diffuse 0.85 specular 0.18 roughness 0.04 reflection { 0, 0.22 fresnel } conserve_energy }
}
// Angle-dependent segments of a cut face in the xy plane.
#declare Segments = function(x, y, z) {
  min(abs(sin(5 * atan2(y, x) + 0.25 * sin(7 * y))) * sqrt(x * x + y * y) * (0.6 + 1.1 * f_noise3d(atan2(y, x) * 14, sqrt(x * x + y * y) * 5, 2)), 0.99)
}
#declare Flesh = texture {
  pigment {
    function { sqrt(x * x + y * y) }
    pigment_map {
      [0.10 rgb <0.90, 0.66, 0.28>]
      [0.13 function { Segments(x, y, z) } color_map {
          [0.05 rgb <0.90, 0.62, 0.24>]
          [0.13 rgb <0.88, 0.34, 0.03>] [1 rgb <0.80, 0.23, 0.01>] } ]
      [0.83 function { Segments(x, y, z) } color_map {
          [0.05 rgb <0.90, 0.62, 0.24>]
          [0.13 rgb <0.90, 0.36, 0.03>] [1 rgb <0.80, 0.23, 0.01>] } ]
      [0.855 rgb <0.93, 0.74, 0.42>]
      [0.92 rgb <0.92, 0.70, 0.36>]
      [0.95 rgb <0.86, 0.30, 0.012>]
    }
  }
  normal {
    function { 0.4 * f_noise3d(atan2(y, x) * 22, sqrt(x * x + y * y) * 6, z) + 0.5 * Segments(x, y, z) } 0.09
  }
  finish { ambient 0 diffuse 0.85 specular 0.5 roughness 0.02 reflection { 0, 0.3 fresnel } conserve_energy }
}
union {
  sphere { 0, 1 scale <1.03, 0.97, 1.03> texture { Peel } interior { ior 1.4 } }
  union {
    #for (I, 0, 4)
      sphere { <0.055, 0, 0>, 0.065 scale <1.3, 0.35, 0.8> rotate y * I * 72 }
    #end
    cylinder { 0, y * 0.05, 0.035 }
    texture { pigment { rgb <0.10, 0.15, 0.04> } finish { ambient 0 diffuse 0.8 } }
    translate y * 0.965
  }
  object { Leaf(1.35, 0.62, 0.42) rotate <12, 28, 4> translate <0.02, 0.98, 0> }
  rotate <-12, 0, -16>
  translate <-0.35, 0.95, -0.25>
}
// The half: a hemisphere behind its cut face.
union {
  intersection {
    sphere { 0, 1 texture { Peel } }
    plane { -z, 0 texture { Flesh } }
    bounded_by { sphere { 0, 1.01 } }
    interior { ior 1.4 }
  }
  rotate <14, 24, 40>
  rotate <0, -32, 0>
  translate <1.25, 1.0, 0.75>
}
plane { y, 0 texture { Boards(<0.10, 0.055, 0.03>, <0.36, 0.22, 0.125>, 6.5, 0.3) scale 1.5 rotate y * 83 } interior { ior 1.4 } }
plane { z, 11 texture { Blurred(<0.10, 0.13, 0.10>, <0.42, 0.44, 0.36>, 4.2, 0.8) } }
