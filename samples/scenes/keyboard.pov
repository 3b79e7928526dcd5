// A pale computer keyboard on a wooden desk, seen from above.
#version 3.7;
#include "common.inc"
#include "shapes.inc"
Globals(true)
#declare Aspect = 4 / 3;
Still(<-0.4, 8.6, -5.6>, <0.05, 0, -0.05>, 29.5, Aspect)
Softbox(<-5, 6, 4>, <0, 0, 0>, 3.5, 3, <1, 0.97, 0.92>, 0.95)
Softbox(<6, 5, -3>, <0, 0, 0>, 3, 3, <0.86, 0.93, 1>, 0.3)
#declare Caps = texture { pigment { rgb <0.68, 0.66, 0.61> } normal { granite 0.02 scale 0.04 } finish { ambient 0 diffuse 0.85 specular 0.22 roughness 0.05 } }
#declare Grey = texture { pigment { rgb <0.38, 0.37, 0.35> } normal { granite 0.02 scale 0.04 } finish { ambient 0 diffuse 0.85 specular 0.22 roughness 0.05 } }
#declare Ink = texture { pigment { rgb 0.03 } finish { ambient 0 diffuse 0.8 } }
#declare U = 0.42;
// A key with its lower left corner at (PX, PZ), W units wide, with rounded edges and a smaller top.
#macro Key(PX, PZ, W, Label, Dark)
  union {
    union {
      object { Round_Box_Union(<0.055, 0.0, 0.065>, <W * U - 0.055, 0.20, U - 0.035>, 0.03) }
      intersection {
        box { <0.012, -0.1, 0.012>, <W * U - 0.012, 0.185, U - 0.012> }
        plane { -x, 0 rotate z * -11 translate <0.055, 0.185, 0> }
        plane { x, 0 rotate z * 11 translate <W * U - 0.055, 0.185, 0> }
        plane { -z, 0 rotate x * 13 translate <0, 0.185, 0.065> }
        plane { z, 0 rotate x * -8 translate <0, 0.185, U - 0.035> }
      }
      #if (Dark) texture { Grey } #else texture { Caps } #end
    }
    #if (strlen(Label) > 0)
      text { ttf "crystal.ttf" Label 0.02, 0 scale <0.13, 0.13, 1> rotate x * 90 translate <0.11, 0.204, 0.21> texture { Ink } }
    #end
    translate <PX * U, 0, PZ * U>
  }
#end
#macro Row(Z, Offset, Labels)
  #for (I, 1, strlen(Labels)) Key(Offset + I - 1, Z, 1, substr(Labels, I, 1), false) #end
#end
union {
  object { Round_Box_Union(<-0.18, -0.28, -0.18>, <15 * U + 0.18, 0.02, 6.4 * U + 0.18>, 0.09) texture { Grey } }
  Row(4, 0, "`1234567890-=") Key(13, 4, 2, "", true)
  Key(0, 3, 1.5, "", true) Row(3, 1.5, "QWERTYUIOP[]") Key(13.5, 3, 1.5, "", true)
  Key(0, 2, 1.75, "", true) Row(2, 1.75, "ASDFGHJKL;'") Key(12.75, 2, 2.25, "", true)
  Key(0, 1, 2.25, "", true) Row(1, 2.25, "ZXCVBNM,./") Key(12.25, 1, 2.75, "", true)
  Key(0, 0, 1.25, "", true) Key(1.25, 0, 1.25, "", true) Key(2.5, 0, 1.25, "", true) Key(3.75, 0, 6.25, "", false)
  Key(10, 0, 1.25, "", true) Key(11.25, 0, 1.25, "", true) Key(12.5, 0, 1.25, "", true) Key(13.75, 0, 1.25, "", true)
  Key(0, 5.4, 1, "", true)
  #for (I, 0, 11) Key(2 + I + 0.5 * (I > 3) + 0.5 * (I > 7), 5.4, 1, "", ((I > 3) & (I < 8))) #end
  translate <-7.5 * U, 0.3, -3.2 * U>
  rotate x * -5
  rotate y * -14
}
plane { y, 0 texture { Boards(<0.15, 0.09, 0.055>, <0.42, 0.28, 0.18>, 5.5, 0.3) scale 1.6 rotate y * 84 } interior { ior 1.4 } }
