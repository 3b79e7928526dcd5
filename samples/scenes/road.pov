// A country road running straight to wooded hills.
#version 3.7;
#include "common.inc"
#include "nature.inc"
Globals(false)
Still(<-1.0, 2.0, -6>, <0.2, 1.72, 10>, 56, 1.5)
Sun(<-0.7, 0.75, -0.35>, <1, 0.95, 0.86>, 1.15, 0.03)
light_source { <300, 500, -600>, <0.70, 0.83, 1> * 0.32 * EV shadowless }
light_source { <0, 100, 900>, <0.70, 0.83, 1> * 0.12 * EV shadowless }
Sky(<0.10, 0.28, 0.68>, <0.62, 0.76, 0.94>, 0.5, 1.5, <-0.8, 0, -0.4>)
fog { fog_type 2 fog_offset 0 fog_alt 9 distance 300 rgb <0.60, 0.72, 0.88> * EV * 0.85 }
#declare Flat = function(x, z) { 0 }
#declare Wheel = function(x) { exp(-pow((abs(abs(x) - 1.75) - 0.75) / 0.35, 2)) }
// Asphalt with worn wheel tracks, cracks and painted lines.
box {
  <-3.9, -0.2, -20>, <3.9, 0.03, 900>
  texture {
    pigment {
      function { 0.45 * f_noise3d(x * 28, 1, z * 28) + 0.25 * f_noise3d(x * 0.9, 4, z * 0.16) + 0.22 * Wheel(x) + 0.1 * f_noise3d(x * 5, 8, z * 5) }
      color_map { [0.1 rgb <0.085, 0.085, 0.090>] [0.5 rgb <0.19, 0.187, 0.185>] [0.9 rgb <0.32, 0.31, 0.30>] }
    }
    normal { bumps 0.35 scale 0.03 }
    finish { ambient 0 diffuse 0.9 specular 0.05 roughness 0.2 }
  }
  texture {
    pigment {
      crackle color_map { [0 rgbt <0.03, 0.03, 0.03, 0.1>] [0.012 rgbt <0.03, 0.03, 0.03, 1>] [1 rgbt <0.03, 0.03, 0.03, 1>] }
      turbulence 0.25 scale <1.9, 1, 3.4>
    }
    finish { ambient 0 diffuse 0.9 }
  }
}
#declare Paint = texture {
  pigment { function { f_noise3d(x * 22, 5, z * 9) } color_map { [0.22 rgbt <0.5, 0.5, 0.48, 0.7>] [0.34 rgbt <0.78, 0.77, 0.72, 0.06>] [1 rgb <0.84, 0.83, 0.79>] } }
  finish { ambient 0 diffuse 0.9 }
}
#for (I, -2, 60) box { <-0.075, 0.03, I * 9 - 1>, <0.075, 0.034, I * 9 + 2.2> texture { Paint } } #end
box { <-3.55, 0.03, -20>, <-3.42, 0.034, 900> texture { Paint } }
box { <3.42, 0.03, -20>, <3.55, 0.034, 900> texture { Paint } }
// Verges and fields.
plane {
  y, 0
  texture {
    pigment {
      function { min(0.999, max(0, 0.35 * f_noise3d(x * 0.6, 0, z * 0.25) + 0.4 * f_noise3d(x * 6, 2, z * 6) + 0.3 * (1 - min(1, abs(abs(x) - 3.9) / 0.7)))) }
      color_map { [0.15 rgb <0.075, 0.115, 0.02>] [0.5 rgb <0.16, 0.20, 0.04>] [0.75 rgb <0.30, 0.25, 0.12>] [1 rgb <0.34, 0.29, 0.21>] }
    }
    normal { bumps 0.8 scale 0.15 }
    finish { ambient 0 diffuse 0.85 }
  }
}
#declare Turf = Grass_Patch(1, 650, 0.26, 0.12)
#declare Straw = Grass_Patch(1, 420, 0.42, 0.45)
union {
  #for (J, 0, 34)
    #for (I, 0, 13)
      #for (S, -1, 1, 2)
        #local DX = 4.5 + I * 0.85;
        object { #if (rand(Green_Seed) < 0.22) Straw #else Turf #end
          scale 0.8 + 0.6 * rand(Green_Seed) + 0.02 * J rotate y * 90 * floor(rand(Green_Seed) * 4) translate <S * (DX + 0.2 * rand(Green_Seed)), 0, -4.6 + J * 0.95> }
      #end
    #end
  #end
}
#declare Oak = Leafy_Tree(9000, <0.085, 0.145, 0.022>)
#declare Elm = Leafy_Tree(8000, <0.11, 0.155, 0.03>)
union {
  #for (I, 0, 22)
    object { #if (mod(I, 3)) Oak #else Elm #end scale 5.5 + 3.5 * rand(Green_Seed) rotate y * 360 * rand(Green_Seed) translate <-9.5 - 4 * rand(Green_Seed), -0.1, 16 + I * 7 + 4 * rand(Green_Seed)> }
    object { #if (mod(I, 2)) Oak #else Elm #end scale 5.5 + 3.5 * rand(Green_Seed) rotate y * 360 * rand(Green_Seed) translate <10 + 5 * rand(Green_Seed), -0.1, 24 + I * 8 + 4 * rand(Green_Seed)> }
  #end
  Scatter(Oak, 260, <-120, 0, 190>, <120, 0, 260>, 9, 14, Flat)
}
#declare Rise = function(x, z) { 26 * f_noise3d(x * 0.006 + 2, 0, z * 0.006) + 7 * f_noise3d(x * 0.03, 1, z * 0.03) + 1.6 * f_noise3d(x * 0.4, 1, z * 0.4) }
#declare HXf = function(u, v) { (v - 0.5) * 1600 }
#declare HZf = function(u, v) { 330 + 420 * u }
#declare HYf = function(u, v) { 2.6 * Rise(HXf(u, v), HZf(u, v)) * sin(pi * 0.5 * min(1, 2 * u)) - 4 }
object {
  Surface(HXf, HYf, HZf, 40, 320)
  texture { pigment { function { f_noise3d(x * 0.2, y * 0.2, z * 0.2) } color_map { [0.2 rgb <0.035, 0.065, 0.02>] [0.8 rgb <0.075, 0.12, 0.035>] } } normal { granite 0.9 scale 18 } finish { ambient 0 diffuse 0.85 } }
}
