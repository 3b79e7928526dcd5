// Two green pears on white linen.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<0, 2.5, -7.2>, <0.0, 1.18, 0>, 30, 1)
Softbox(<-4.5, 6, -3.5>, <0, 1, 0>, 3.4, 2.8, <1, 0.96, 0.9>, 1.0)
Softbox(<6, 3, -3>, <0, 1, 0>, 3, 3, <0.88, 0.94, 1>, 0.35)

#declare PR = function(u) {
  sin(pi * u) * (0.66 + 0.42 * pow(u, 1.6)) * (1 - 0.24 * exp(-pow((u - 0.30) / 0.16, 2)))
}
#declare PX = function(u, v) {
  PR(u) * cos(2 * pi * v) * (1 + 0.02 * cos(6 * pi * v + 1)) - 0.10 * pow(1 - u, 2)
}
#declare PZ = function(u, v) { PR(u) * sin(2 * pi * v) * (1 + 0.02 * cos(4 * pi * v)) }
#declare PY = function(u, v) {
  0.92 * cos(pi * u) + 0.72 * pow(max(0, cos(pi * u)), 1.7)
  + select(u - 0.5, -0.10, 0.15) * exp(-pow(sin(pi * u) / 0.22, 2))
}
#declare PearMesh = Surface(PX, PY, PZ, 90, 110)
#macro Pear(Blush)
  union {
    object {
      PearMesh
      texture {
        pigment {
          function { 0.65 * f_noise3d(x * 1.1 + 3, y * 0.9, z * 1.1) + 0.25 * f_noise3d(x * 6, y * 5, z * 6) + Blush * x - 0.06 * y }
          color_map { [0.15 rgb <0.27, 0.36, 0.045>] [0.5 rgb <0.42, 0.47, 0.075>] [0.75 rgb <0.58, 0.50, 0.10>] [1 rgb <0.55, 0.27, 0.07>] }
        }
        normal { bumps 0.05 scale 0.22 }
        finish { ambient 0 diffuse 0.85 specular 0.10 roughness 0.04 reflection { 0, 0.2 fresnel } conserve_energy }
      }
      texture {
        pigment {
          function { f_noise3d(x * 22, y * 22, z * 22) + 0.25 * exp(-pow((1.55 - y) / 0.16, 2)) }
          color_map { [0.75 rgbt <0.26, 0.17, 0.05, 1>] [0.84 rgbt <0.26, 0.17, 0.05, 0.4>] }
        }
        finish { ambient 0 diffuse 0.8 }
      }
      interior { ior 1.4 }
    }
    union {
      #for (I, 0, 110)
        #local T = I / 110;
        sphere { <-0.10 + 0.22 * T * T, 1.46 + 0.62 * T, 0.05 * sin(T * 4)>, 0.032 + 0.022 * pow(T, 6) + 0.02 * pow(1 - T, 6) }
      #end
      texture {
        pigment { bozo color_map { [0 rgb <0.09, 0.05, 0.02>] [1 rgb <0.24, 0.14, 0.05>] } scale 0.07 }
        normal { bumps 0.5 scale 0.05 } finish { ambient 0 diffuse 0.8 specular 0.1 }
      }
    }
    translate y * 0.785
  }
#end
object { Pear(0.10) rotate <-3, 20, -5> translate <-0.86, 0, -0.35> }
object { Pear(-0.16) rotate <2, 150, 7> scale 0.95 translate <0.98, 0, 0.45> }
plane { y, 0 texture { Linen(<0.80, 0.78, 0.74>) scale 0.9 rotate y * 12 } }
plane { z, 14 texture { Blurred(<0.55, 0.55, 0.53>, <0.95, 0.94, 0.90>, 5, 0.95) } }
