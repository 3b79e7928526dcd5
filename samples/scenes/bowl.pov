// A turquoise bowl on a dark table.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<0, 4.1, -7.4>, <0, 0.78, 0>, 25, 1)
Softbox(<-4.5, 6, -2>, <0, 1, 0>, 3, 3, <1, 0.96, 0.9>, 1.0)
Softbox(<6, 4, -4>, <0, 1, 0>, 3, 3, <0.86, 0.93, 1>, 0.3)
#declare Profile = array[15] {
  <0.0001, 0.10>, <0.44, 0.08>, <0.52, 0.0>, <0.62, 0.02>, <0.66, 0.16>, <1.05, 0.44>, <1.36, 0.90>, <1.52, 1.42>,
  <1.49, 1.475>, <1.43, 1.43>, <1.27, 0.95>, <0.98, 0.55>, <0.55, 0.26>, <0.25, 0.20>, <0.0001, 0.19>
}
object {
  Turned(Profile, 160, 144)
  texture {
    pigment {
      function { f_noise3d(x * 2.2, y * 6, z * 2.2) * 0.35 + f_noise3d(x * 26, y * 26, z * 26) * 0.25 + y * 0.30 }
      color_map {
        [0.14 rgb <0.02, 0.09, 0.12>] [0.36 rgb <0.025, 0.19, 0.23>] [0.6 rgb <0.06, 0.33, 0.36>] [0.72 rgb <0.15, 0.42, 0.42>]
        [0.80 rgb <0.34, 0.42, 0.36>] [0.9 rgb <0.33, 0.24, 0.15>]
      }
    }
    normal { function { 0.25 + 0.2 * sin(y * 70) + 0.4 * f_noise3d(x * 6, y * 6, z * 6) } 0.12 }
    finish { ambient 0 diffuse 0.85 specular 0.5 roughness 0.008 reflection { 0, 0.55 fresnel } conserve_energy }
  }
  interior { ior 1.5 }
}
plane { y, 0 texture { Boards(<0.13, 0.08, 0.05>, <0.38, 0.26, 0.17>, 3.5, 0.3) scale 1.5 rotate y * 80 } interior { ior 1.4 } }
plane { z, 12 texture { Blurred(<0.30, 0.27, 0.24>, <0.68, 0.62, 0.55>, 5, 0.8) } }
