// A red apple on an old kitchen table.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<0.15, 1.9, -5.2>, <0.05, 0.92, 0>, 30, 1)
Softbox(<-4.5, 5.5, -3>, <0, 0.8, 0>, 3.4, 2.6, <1, 0.95, 0.87>, 1.05)
Softbox(<6, 3, -2>, <0, 0.8, 0>, 3, 3, <0.8, 0.9, 1>, 0.28)

#declare AX = function(u, v) {
  (1 + 0.13 * cos(pi * u)) * sin(pi * u) * (1 + 0.035 * cos(10 * pi * v + 0.4) * pow(u, 2) + 0.02 * sin(2 * pi * v)) * cos(2 * pi * v)
}
#declare AZ = function(u, v) {
  (1 + 0.13 * cos(pi * u)) * sin(pi * u) * (1 + 0.035 * cos(10 * pi * v + 0.4) * pow(u, 2) + 0.02 * sin(2 * pi * v)) * sin(2 * pi * v)
}
#declare AY = function(u, v) {
  0.9 * cos(pi * u) * (1 + 0.03 * cos(2 * pi * v))
  + select(u - 0.5, -0.50 * exp(-pow(sin(pi * u) / 0.30, 2)), 0.22 * exp(-pow(sin(pi * u) / 0.26, 2)))
  - select(u - 0.5, 0, 0.05 * cos(10 * pi * v) * sin(pi * u) * abs(cos(pi * u)))
}
#declare Streak = function(x, y, z) {
  0.55 * f_noise3d(15 * x / (0.001 + sqrt(x * x + z * z)), y * 0.9, 15 * z / (0.001 + sqrt(x * x + z * z)))
  + 0.45 * f_noise3d(x * 1.3 + 4, y * 1.3, z * 1.3) + 0.10 * f_noise3d(x * 11, y * 11, z * 11)
  - 0.30 * exp(-(x * x + z * z) / 0.16) * (y > 0) + 0.12 * x - 0.02
}
#declare Skin = texture {
  pigment {
    function { Streak(x, y, z) }
    color_map {
      [0.18 rgb <0.42, 0.42, 0.07>] [0.34 rgb <0.62, 0.36, 0.07>] [0.44 rgb <0.52, 0.085, 0.03>]
      [0.60 rgb <0.40, 0.022, 0.018>] [0.85 rgb <0.24, 0.010, 0.014>]
    }
  }
  normal { bumps 0.03 scale 0.3 }
  finish { ambient 0 diffuse 0.85 specular 0.07 roughness 0.02 reflection { 0.0, 0.35 fresnel } conserve_energy }
}
#declare Lenticels = texture {
  pigment {
    function { f_noise3d(x * 42, y * 36, z * 42) }
    color_map { [0.79 rgbt <0.70, 0.48, 0.26, 1>] [0.85 rgbt <0.70, 0.48, 0.26, 0.45>] }
  }
  finish { ambient 0 diffuse 0.8 }
}
union {
  object { Surface(AX, AY, AZ, 90, 140) texture { Skin } texture { Lenticels } interior { ior 1.4 } }
  union {
    #for (I, 0, 110)
      #local T = I / 110;
      sphere { <0.16 * T * T, 0.30 + 0.62 * T, 0.04 * sin(T * 3)>, 0.034 + 0.012 * pow(T, 8) }
    #end
    texture {
      pigment { bozo color_map { [0 rgb <0.10, 0.055, 0.025>] [1 rgb <0.22, 0.13, 0.05>] } scale 0.06 }
      normal { bumps 0.4 scale 0.04 }
      finish { ambient 0 diffuse 0.8 specular 0.1 }
    }
  }
  rotate <-7, 25, 9>
  translate <0, 0.74, 0>
}
plane { y, 0 texture { Boards(<0.16, 0.085, 0.045>, <0.50, 0.33, 0.20>, 2.5, 0.25) scale 1.15 rotate y * 76 } interior { ior 1.4 } }
plane { z, 11 texture { Blurred(<0.26, 0.23, 0.20>, <0.62, 0.58, 0.50>, 4.2, 0.8) } }
