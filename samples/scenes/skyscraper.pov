// Office towers seen from the street.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<-6, 1.7, -62>, <3, 62, 12>, 58, 1)
Sun(<-0.8, 0.9, -0.7>, <1, 0.95, 0.87>, 1.05, 0.02)
Sky(<0.06, 0.22, 0.62>, <0.50, 0.69, 0.93>, 0.42, 1.3, <-0.8, 0, -0.4>)
// Panes of W x H metres, each set at a slightly different angle so that its reflection differs.
#declare PaneN = function(x, y, z, w, h) { f_noise3d(floor(x / w) * 3.7, floor(y / h) * 5.3, floor(z / w) * 4.1) }
#macro Facade(W, H, Bar, Glass, Frame)
  texture {
    pigment {
      function { ((mod(abs(x) + 1000 * W, W) < Bar) + (mod(y + 1000 * H, H) < Bar * 2.4)) > 0 }
      pigment_map {
        [0.5 function { 0.6 * PaneN(x, y, z, W, H) + 0.4 * f_noise3d(x * 0.05, y * 0.05, z * 0.05) } color_map { [0.25 rgb Glass * 0.5] [0.6 rgb Glass] [0.9 rgb Glass * 1.6] }]
        [0.5 rgb Frame]
      }
    }
    normal { function { 0.5 + 0.1 * ((x - W * floor(x / W)) * (PaneN(x, y, z, W, H) - 0.5) + (y - H * floor(y / H)) * (PaneN(x + 99, y, z, W, H) - 0.5)) } 0.45 }
    finish { ambient 0 diffuse 0.65 specular 0.3 roughness 0.01 reflection { 0.22, 0.9 fresnel } conserve_energy }
  }
#end
#macro Tower(W, D, H, PW, PH, Bar, Glass, Frame)
  union {
    box { <-W / 2, 0, -D / 2>, <W / 2, H, D / 2> Facade(PW, PH, Bar, Glass, Frame) interior { ior 1.6 } }
    #local N = floor(W / PW / 2);
    #for (I, -N, N) box { <I * PW, 0, -D / 2 - 0.25>, <I * PW + 0.28, H, -D / 2> texture { pigment { rgb Frame } finish { ambient 0 diffuse 0.85 specular 0.2 } } } #end
    #local M = floor(D / PW / 2);
    #for (I, -M, M) #for (S, -1, 1, 2) box { <S * W / 2 - 0.25, 0, I * PW>, <S * W / 2 + 0.25, H, I * PW + 0.28> texture { pigment { rgb Frame } finish { ambient 0 diffuse 0.85 specular 0.2 } } } #end #end
    box { <-W / 2 - 0.4, H - 2.5, -D / 2 - 0.4>, <W / 2 + 0.4, H + 1.2, D / 2 + 0.4> texture { pigment { rgb Frame * 0.9 } finish { ambient 0 diffuse 0.85 } } }
  }
#end
union {
  object { Tower(30, 30, 130, 2.4, 3.9, 0.25, <0.035, 0.085, 0.14>, <0.52, 0.52, 0.51>) }
  object { Tower(22, 22, 156, 2.4, 3.9, 0.25, <0.035, 0.085, 0.14>, <0.52, 0.52, 0.51>) }
  cylinder { <0, 155, 0>, <0, 186, 0>, 0.7 texture { pigment { rgb 0.6 } finish { ambient 0 diffuse 0.8 } } }
  rotate y * 34 translate <6, 0, 12>
}
object { Tower(28, 26, 74, 3.0, 3.8, 0.9, <0.05, 0.06, 0.07>, <0.50, 0.42, 0.33>) rotate y * -12 translate <-44, 0, 6> }
object { Tower(30, 26, 62, 2.2, 3.6, 0.2, <0.02, 0.05, 0.07>, <0.20, 0.22, 0.24>) rotate y * 10 translate <50, 0, 4> }
plane { y, 0 texture { pigment { rgb 0.25 } finish { ambient 0 diffuse 0.8 } } }
