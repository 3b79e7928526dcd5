// A twin-bell alarm clock on a bedside table.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<-1.2, 1.75, -7.6>, <0, 1.62, 0>, 28.5, 1)
Softbox(<-4.5, 5, -4>, <0, 1, 0>, 3, 3, <1, 0.95, 0.88>, 0.95)
Softbox(<6, 3.5, -4>, <0, 1, 0>, 3, 3, <0.86, 0.93, 1>, 0.35)
#declare Case = texture { pigment { rgb <0.30, 0.022, 0.018> } finish { ambient 0 diffuse 0.85 specular 0.7 roughness 0.006 reflection { 0.03, 0.6 fresnel } conserve_energy } }
#declare Chrome = texture { Metal(<0.80, 0.79, 0.77>, 0.1) }
#declare Ink = texture { pigment { rgb 0.015 } finish { ambient 0 diffuse 0.8 specular 0.2 } }
#declare Face = union {
  disc { 0, -z, 1.0 texture { pigment { rgb <0.80, 0.78, 0.71> } finish { ambient 0 diffuse 0.88 } } }
  union {
    #for (I, 0, 59)
      #if (mod(I, 5) = 0) box { <-0.020, 0.86, -0.012>, <0.020, 0.95, 0> rotate z * I * 6 }
      #else box { <-0.008, 0.91, -0.012>, <0.008, 0.95, 0> rotate z * I * 6 } #end
    #end
    #for (I, 1, 12)
      #local T = text { ttf "timrom.ttf" str(I, 0, 0) 0.02, 0 scale <0.27, 0.27, 1> }
      #local M = (min_extent(T) + max_extent(T)) / 2;
      object { T translate <0.70 * sin(I * pi / 6) - M.x, 0.70 * cos(I * pi / 6) - M.y, -0.015> }
    #end
    // Ten past ten, and the alarm at seven.
    union { cone { <0, -0.12, 0>, 0.03, <0, 0.5, 0>, 0.022 } sphere { <0, 0.5, 0>, 0.022 } scale <1, 1, 0.3> rotate z * 57 translate z * -0.06 }
    union { cone { <0, -0.16, 0>, 0.024, <0, 0.78, 0>, 0.016 } sphere { <0, 0.78, 0>, 0.016 } scale <1, 1, 0.3> rotate z * -54 translate z * -0.085 }
    cylinder { <0, 0, 0>, <0, 0, -0.11>, 0.05 }
    texture { Ink }
  }
  cone { <0, -0.1, 0>, 0.012, <0, 0.40, 0>, 0.006 rotate z * 150 translate z * -0.045 texture { pigment { rgb <0.5, 0.03, 0.02> } finish { ambient 0 diffuse 0.8 } } }
}
union {
  difference {
    union {
      cylinder { <0, 0, -0.34>, <0, 0, 0.40>, 1.12 }
      torus { 1.06, 0.06 rotate x * 90 translate z * 0.40 }
    }
    cylinder { <0, 0, -0.5>, <0, 0, -0.14>, 1.02 }
    texture { Case } interior { ior 1.5 }
  }
  torus { 1.08, 0.075 rotate x * 90 translate z * -0.34 texture { Chrome } }
  object { Face translate z * -0.150 }
  // Bells, hammer, handle, feet.
  #for (S, -1, 1, 2)
    union {
      difference { sphere { 0, 0.44 } sphere { 0, 0.41 } plane { y, 0.0 } scale <1, 0.92, 1> }
      torus { 0.425, 0.022 }
      cylinder { <0, -0.32, 0>, <0, 0.42, 0>, 0.045 }
      sphere { <0, 0.45, 0>, 0.075 }
      texture { Chrome }
      rotate z * S * -33 translate <S * 0.74, 1.20, 0.05>
    }
    union {
      cone { <0, 0, 0>, 0.075, <0, -0.42, 0>, 0.045 }
      sphere { <0, -0.44, 0>, 0.085 }
      texture { Chrome } rotate z * S * 34 translate <S * 0.66, -0.92, 0.05>
    }
  #end
  union {
    cylinder { <0, 1.05, 0.05>, <0, 1.46, 0.05>, 0.025 }
    cylinder { <-0.10, 1.46, 0.05>, <0.10, 1.46, 0.05>, 0.09 }
    texture { Chrome }
  }
  union {
    #for (I, 0, 40)
      #local A = pi * I / 40;
      sphere { <0.68 * cos(A), 1.58 + 0.42 * sin(A), 0.05>, 0.035 }
    #end
    texture { Chrome }
  }
  translate y * 1.38
}
plane { y, 0 texture { Boards(<0.20, 0.12, 0.07>, <0.52, 0.36, 0.23>, 7.5, 0.35) scale 1.6 rotate y * 86 } interior { ior 1.4 } }
plane { z, 9 texture { Blurred(<0.50, 0.52, 0.52>, <0.85, 0.84, 0.80>, 5, 0.85) } }
