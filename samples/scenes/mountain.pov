// A snowy peak above fir woods and a lake.
#version 3.7;
#include "common.inc"
#include "nature.inc"
Globals(false)
Still(<0, 9, -40>, <3, 24, 60>, 44, 1.5)
Sun(<-0.85, 0.42, -0.15>, <1, 0.92, 0.80>, 1.35, 0.02)
light_source { <400, 500, -300>, <0.62, 0.80, 1> * 0.28 * EV shadowless }
Sky(<0.05, 0.19, 0.58>, <0.46, 0.66, 0.92>, 0.28, 1.5, <-0.8, 0, -0.4>)
fog { fog_type 2 fog_offset 0 fog_alt 25 distance 700 rgb <0.46, 0.62, 0.88> * EV * 0.8 }
#declare Crag = function(x, z) {
  f_ridged_mf(x * 0.011 + 3.3, 1.7, z * 0.011 + 0.4, 0.95, 2.15, 8, 0.92, 1.6, 2)
}
#declare Peak = function(x, z) { exp(-pow((x - 16) / 66, 2) - pow((z - 190) / 60, 2)) }
#declare Side = function(x, z) { exp(-pow((x + 105) / 60, 2) - pow((z - 215) / 55, 2)) + 0.85 * exp(-pow((x - 150) / 62, 2) - pow((z - 230) / 60, 2)) }
#declare MX = function(u, v) { (v - 0.5) * 420 }
#declare MZ = function(u, v) { 90 + 190 * u }
#declare MYF = function(x, z) { (74 * Peak(x, z) + 46 * Side(x, z)) * (0.22 + 0.60 * Crag(x, z)) + 7 * Crag(x * 1.7 + 9, z * 1.7) - 8 }
#declare MY = function(u, v) { MYF(MX(u, v), MZ(u, v)) }
object {
  Surface(MX, MY, MZ, 150 + 150 * Quality, 320 + 280 * Quality)
  texture {
    pigment {
      slope { y, 0.0, 1.0 }
      pigment_map {
        [0.60 granite color_map { [0.2 rgb <0.10, 0.095, 0.095>] [0.6 rgb <0.22, 0.205, 0.19>] [1 rgb <0.34, 0.31, 0.28>] } scale <14, 5, 14>]
        [0.68 granite color_map { [0.2 rgb <0.14, 0.13, 0.125>] [0.5 rgb <0.26, 0.245, 0.23>] [0.62 rgb <0.78, 0.80, 0.84>] } scale <12, 5, 12>]
        [0.73 rgb <0.84, 0.86, 0.90>]
      }
    }
    normal { granite 0.5 scale 7 }
    finish { ambient 0 diffuse 0.9 }
  }
}
// The wooded shore and the lake.
#declare Shore = function(x, z) { 10 * (f_noise3d(x * 0.017 + 4, 1, z * 0.02) - 0.35) + 0.07 * (z - 62) + 2 * f_noise3d(x * 0.09, 3, z * 0.09) - 1.5 }
#declare SXF = function(u, v) { (v - 0.5) * 320 }
#declare SZF = function(u, v) { 40 + 80 * u }
#declare SYF = function(u, v) { Shore(SXF(u, v), SZF(u, v)) }
object { Surface(SXF, SYF, SZF, 60, 200)
  texture { pigment { bozo color_map { [0 rgb <0.05, 0.075, 0.02>] [1 rgb <0.13, 0.145, 0.04>] } scale 5 } normal { granite 0.5 scale 3 } finish { ambient 0 diffuse 0.85 } } }
#declare Tree = Fir(<0.030, 0.062, 0.024>)
Scatter(Tree, 2600, <-120, 0, 56>, <120, 0, 112>, 4.5, 8, Shore)
plane {
  y, 0.2
  texture {
    pigment { rgb <0.012, 0.045, 0.055> }
    normal { function { 0.7 * f_noise3d(x * 0.3, 1, z * 1.1) + 0.25 * f_noise3d(x * 1.4, 1, z * 4) } 0.14 }
    finish { ambient 0 diffuse 0.6 reflection { 0.05, 1 fresnel } conserve_energy }
  }
  interior { ior 1.33 }
}
