// A wide green plain under a summer sky.
#version 3.7;
#include "common.inc"
#include "nature.inc"
Globals(false)
Still(<0, 2.2, -6>, <0, 2.1, 10>, 56, 1.5)
Sun(<-0.6, 0.8, -0.4>, <1, 0.95, 0.86>, 1.15, 0.03)
light_source { <300, 500, -600>, <0.70, 0.83, 1> * 0.30 * EV shadowless }
light_source { <0, 100, 900>, <0.70, 0.83, 1> * 0.12 * EV shadowless }
Sky(<0.10, 0.28, 0.68>, <0.64, 0.78, 0.95>, 0.5, 1.5, <-0.8, 0, -0.4>)
fog { fog_type 2 fog_offset 0 fog_alt 10 distance 600 rgb <0.62, 0.74, 0.90> * EV * 0.9 }
#declare Flat = function(x, z) { 0 }
plane {
  y, 0
  texture {
    pigment {
      function { min(0.999, 0.4 * f_noise3d(x * 0.02, 0, z * 0.05) + 0.25 * f_noise3d(x * 0.25, 3, z * 0.7) + 0.35 * f_noise3d(x * 5, 2, z * 5)) }
      color_map { [0.2 rgb <0.085, 0.145, 0.022>] [0.5 rgb <0.15, 0.215, 0.034>] [0.8 rgb <0.27, 0.28, 0.07>] }
    }
    normal { bumps 0.8 scale 0.15 }
    finish { ambient 0 diffuse 0.85 }
  }
}
#declare Turf = Grass_Patch(1, 620, 0.30, 0.06)
#declare Straw = Grass_Patch(1, 420, 0.46, 0.35)
union {
  #for (J, 0, 62)
    #local Z = -4.4 + J * (0.62 + 0.006 * J);
    #local Span = 3.2 + (Z + 6) * 0.86;
    #for (I, 0, ceil(2 * Span / 0.85))
      object { #if (rand(Green_Seed) < 0.16) Straw #else Turf #end
        scale 0.85 + 0.6 * rand(Green_Seed) rotate y * 90 * floor(rand(Green_Seed) * 4) translate <-Span + I * 0.85 + 0.2 * rand(Green_Seed), 0, Z> }
    #end
  #end
}
#declare Oak = Leafy_Tree(5000, <0.075, 0.125, 0.026>)
Scatter(Oak, 240, <-330, 0, 300>, <330, 0, 420>, 6, 13, Flat)
