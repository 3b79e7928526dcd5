// A rocket rising on its flame.
#version 3.7;
#include "common.inc"
#include "rand.inc"
global_settings { assumed_gamma 1.0 max_trace_level 60 }
Still(<0, 6, -42>, <0.6, 11.0, 0>, 33, 1)
Sun(<-0.8, 0.7, -0.6>, <1, 0.95, 0.87>, 1.1, 0.03)
light_source { <300, 200, -300>, <0.65, 0.80, 1> * 0.30 * EV shadowless }
light_source { <0, 3.0, -2>, <1, 0.55, 0.2> * 1.6 * EV fade_distance 4 fade_power 2 shadowless }
Sky(<0.05, 0.20, 0.56>, <0.45, 0.65, 0.92>, 0.22, 1.5, <-0.8, 0, -0.4>)
#declare R = seed(11);
#declare White = texture { pigment { bozo color_map { [0 rgb 0.72] [1 rgb 0.82] } scale <0.2, 1.5, 0.2> } normal { bumps 0.02 } finish { ambient 0 diffuse 0.85 specular 0.3 roughness 0.02 reflection { 0, 0.2 fresnel } conserve_energy } }
#declare Black = texture { pigment { rgb 0.02 } finish { ambient 0 diffuse 0.8 specular 0.3 roughness 0.05 } }
#declare Orange = texture { pigment { rgb <0.50, 0.17, 0.04> } normal { granite 0.05 scale 0.3 } finish { ambient 0 diffuse 0.85 } }
union {
  cylinder { <0, 6.5, 0>, <0, 15.2, 0>, 0.86 texture { White } }
  lathe { cubic_spline 8, <0.95, 15.0>, <0.92, 15.2>, <1.02, 15.6>, <1.02, 16.8>, <0.80, 18.0>, <0.42, 18.9>, <0.0001, 19.3>, <-0.4, 19.4> texture { White } }
  #for (I, 0, 3) cylinder { <0, 7.6 + I * 2.35, 0>, <0, 7.85 + I * 2.35, 0>, 0.868 texture { Black } } #end
  #for (Q, 0, 3) box { <-0.36, 11.0, -0.87>, <0.36, 12.0, 0> rotate y * (Q * 90 + 20) texture { Black } } #end
  // Strap-on boosters, engine bells, fins.
  #for (S, -1, 1, 2)
    union {
      cylinder { <0, 6.2, 0>, <0, 11.6, 0>, 0.45 }
      lathe { cubic_spline 6, <0.5, 11.4>, <0.45, 11.6>, <0.36, 12.3>, <0.16, 12.95>, <0.0001, 13.1>, <-0.2, 13.2> }
      texture { White } translate x * S * 1.30
    }
    cylinder { <S * 1.3, 10.8, 0>, <S * 1.3, 11.05, 0>, 0.458 texture { Orange } }
    cone { <S * 1.3, 6.2, 0>, 0.22, <S * 1.3, 5.75, 0>, 0.40 open texture { Black } }
  #end
  cone { <0, 6.5, 0>, 0.32, <0, 5.7, 0>, 0.72 open texture { Black } }
  rotate y * 18
}
// Flame: nested cores of glowing gas, then puffs of smoke that thin out at their edges.
#macro Puff(P, Rad, Colour, Dense, Glow)
  sphere {
    0, 1
    texture {
      pigment {
        aoi
        color_map { [0.50 rgb Colour transmit 1] [0.62 rgb Colour transmit 1 - 0.25 * Dense] [0.9 rgb Colour transmit 1 - Dense] }
      }
      normal { granite 0.45 scale 1.6 }
      finish { ambient 0 diffuse 0.85 emission Glow }
    }
    scale Rad rotate 360 * <rand(R), rand(R), rand(R)> translate P
    no_shadow
  }
#end
#for (I, 0, 120)
  #local T = I / 120;
  #for (K, -1, 1)
    #local W = 0.20 + 0.95 * pow(T, 1.3) + (K = 0) * 0.16;
    Puff(<K * 1.22 * (1 - 0.55 * T) + (rand(R) - 0.5) * W * 0.9, 5.9 - 6.6 * T, (rand(R) - 0.5) * W - 0.3>, W * (0.7 + 0.5 * rand(R)),
      <1, 0.60 - 0.35 * T, 0.22 - 0.18 * T>, 0.42 - 0.30 * T, <4.0, 2.4 - 1.3 * T, 0.8 - 0.6 * T> * EV * (1 - 0.62 * T))
  #end
#end
// Smoke: great billows, each studded with smaller ones on its upper side.
#macro Billow(P, Rad)
  sphere {
    P, Rad
    texture {
      pigment { aoi color_map { [0.52 rgbt <0.75, 0.73, 0.71, 1>] [0.72 rgbt <0.75, 0.73, 0.71, 0.72>] [0.98 rgbt <0.75, 0.73, 0.71, 0.12>] } }
      normal { granite 0.3 scale 1.6 }
      finish { ambient 0 diffuse 0.62 emission (<0.16, 0.17, 0.20> + <1.7, 0.62, 0.16> * 0.8 * exp(-(abs(P.x) + max(0, P.y + 2)) / 1.7)) * EV }
    }
  }
#end
#for (I, 0, 84)
  #local A = I * 2.39996;
  #local Far = 1.0 + 14 * sqrt(I / 84);
  #local Big = 1.1 + 1.1 * rand(R);
  #local C = <Far * cos(A), -1.9 + 0.12 * Far + 0.7 * rand(R), 0.8 * Far * sin(A)>;
  Billow(C, Big)
  #for (J, 0, 26)
    #local V = vnormalize(<rand(R) - 0.5, rand(R) * 0.75 - 0.1, rand(R) - 0.62>);
    Billow(C + V * Big * 0.86, Big * (0.16 + 0.34 * rand(R)))
  #end
#end
plane { y, -3 texture { pigment { bozo color_map { [0 rgb <0.14, 0.17, 0.09>] [1 rgb <0.26, 0.25, 0.16>] } scale 9 } finish { ambient 0 diffuse 0.8 } } }
fog { fog_type 2 fog_offset 0 fog_alt 5 distance 130 rgb <0.48, 0.66, 0.9> * EV }
