// A brown glass bottle with a paper label against a pale evening sky.
#version 3.7;
#include "common.inc"
Globals(true)
Still(<0, 2.1, -10.5>, <0, 1.78, 0>, 21.5, 1)
Softbox(<-5, 5, -4>, <0, 1.5, 0>, 2, 5, <1, 0.97, 0.92>, 0.95)
Softbox(<6, 4, -3>, <0, 1.5, 0>, 1.6, 5, <0.9, 0.95, 1>, 0.45)
#declare Glass = texture {
  pigment { rgbf <1, 1, 1, 1> }
  finish { ambient 0 diffuse 0 specular 0.9 roughness 0.003 reflection { 0.02, 1 fresnel } conserve_energy }
}
#declare Profile = array[14] {
  <0.0001, 0.04>, <0.50, 0.03>, <0.62, 0.06>, <0.655, 0.2>, <0.66, 0.5>, <0.66, 1.0>, <0.66, 1.5>, <0.656, 1.85>, <0.60, 2.22>, <0.40, 2.58>,
  <0.28, 2.90>, <0.245, 3.25>, <0.235, 3.50>, <0.0001, 3.5>
}
#declare Shell = object {
  Turned(Profile, 160, 144)
}
#declare Beer = interior { ior 1.35 fade_distance 0.24 fade_power 1001 fade_color <0.64, 0.27, 0.03> }
union {
  object { Shell texture { Glass } interior { Beer } }
  torus { 0.25, 0.045 translate y * 3.28 texture { Glass } interior { Beer } }
  // The paper label.
  difference {
    cylinder { <0, 0.62, 0>, <0, 1.72, 0>, 0.669 }
    cylinder { <0, 0.5, 0>, <0, 1.8, 0>, 0.664 }
    plane { -z, -0.20 }
    texture {
      pigment {
        function { min(0.99, (pow(x / 0.52, 2) + pow((y - 1.17) / 0.44, 2)) / 2) }
        pigment_map {
          [0.25 function { min(0.99, (pow(x / 0.30, 2) + pow((y - 1.18) / 0.22, 2)) / 2) } color_map {
              [0.45 rgb <0.62, 0.10, 0.04>] [0.45 rgb <0.80, 0.73, 0.55>] [0.65 rgb <0.80, 0.73, 0.55>]
              [0.65 rgb <0.62, 0.10, 0.04>] [0.775 rgb <0.62, 0.10, 0.04>] [0.775 rgb <0.80, 0.73, 0.55>] }]
          [0.39 rgb <0.80, 0.73, 0.55>]
          [0.39 rgb <0.55, 0.40, 0.12>]
          [0.43 rgb <0.55, 0.40, 0.12>]
          [0.43 rgb <0.055, 0.12, 0.07>]
        }
      }
      finish { ambient 0 diffuse 0.85 specular 0.12 roughness 0.06 }
    }
  }
  // Crown cap.
  union {
    cylinder { <0, 3.50, 0>, <0, 3.60, 0>, 0.27 }
    torus { 0.25, 0.03 translate y * 3.60 }
    #for (I, 0, 20) cylinder { <0.282, 3.44, 0>, <0.25, 3.60, 0>, 0.035 rotate y * I * 360 / 21 } #end
    texture { pigment { rgb <0.50, 0.38, 0.13> } finish { ambient 0 diffuse 0.5 specular 0.5 roughness 0.03 metallic reflection { 0.25 metallic } } }
  }
  rotate y * -8
}
plane { y, 0 texture { Boards(<0.40, 0.32, 0.24>, <0.72, 0.62, 0.50>, 1.5, 0.3) scale 1.3 rotate y * 86 } interior { ior 1.4 } }
plane { z, 14 texture { pigment { gradient y color_map { [0 rgb <1.0, 0.96, 0.88>] [0.25 rgb <0.90, 0.93, 0.96>] [0.7 rgb <0.55, 0.72, 0.92>] } scale 16 translate y * -3 } finish { ambient 0 diffuse 0 emission EV * 0.95 } } }
