// A sunflower in full bloom against a blue summer sky.
#version 3.7;
#include "common.inc"
#include "rand.inc"
Globals(false)
Still(<0, 0, -9>, <0, -0.05, 0>, 34, 1)
Sun(<-0.6, 0.75, -0.8>, <1, 0.95, 0.86>, 1.15, 0.04)
light_source { <60, 30, -60>, <0.75, 0.88, 1> * 0.30 * EV shadowless }
light_source { <0, -60, -30>, <0.6, 0.7, 0.35> * 0.14 * EV shadowless }
light_source { <0, 40, 90>, <1, 0.9, 0.6> * 0.22 * EV shadowless }
#declare R = seed(41);
#declare FX = function(u, v) { u }
#declare FZ = function(u, v) { (v - 0.5) * 0.52 * pow(sin(pi * pow(min(u * 0.97 + 0.03, 1), 0.72)), 0.75) }
#declare FY = function(u, v) { 0.20 * u - 0.30 * u * u + 0.45 * pow(abs(v - 0.5), 1.6) * 0.52 - 0.02 * cos((v - 0.5) * 26) * sin(pi * u) }
#declare Petal = Surface(FX, FY, FZ, 24, 14)
#macro Petals(N, Inner, Long, Lift, Z)
  #for (I, 0, N - 1)
    #local G = rand(R);
    object {
      Petal
      texture {
        pigment {
          function { 0.75 * min(1, max(0, x)) + 0.22 * f_noise3d(x * 3, 1, z * 40 + I * 7) }
          color_map {
            [0.04 rgb <0.62, 0.20, 0.005>] [0.25 rgb <0.90, 0.44, 0.006>] [0.6 rgb <0.95, 0.55, 0.010>] [1 rgb <0.97, 0.64, 0.03>]
          }
        }
        normal { function { f_noise3d(x * 2, 0, z * 45) } 0.25 }
        finish { ambient 0 emission 0.03 diffuse 0.72, 0.32 specular 0.08 roughness 0.1 }
      }
      scale <Long * (0.86 + 0.26 * rand(R)), 0.9 + 0.6 * rand(R), 0.85 + 0.4 * rand(R)>
      rotate x * (rand(R) - 0.5) * 46
      rotate z * (Lift + (rand(R) - 0.5) * 22)
      translate x * Inner
      rotate x * -90
      rotate z * (360 / N * (I + (rand(R) - 0.5) * 0.5))
      translate z * (Z + 0.03 * G)
    }
  #end
#end
union {
  Petals(20, 0.82, 1.30, -2, 0.10)
  Petals(19, 0.84, 1.18, 10, 0.03)
  Petals(17, 0.86, 1.0, 20, -0.04)
  // The head: florets on a golden-angle spiral, darkest between the green heart and the pollen ring.
  sphere { 0, 1 scale <0.98, 0.98, 0.26> translate z * 0.06 texture { pigment { rgb <0.045, 0.02, 0.008> } finish { ambient 0 diffuse 0.7 } } }
  #for (I, 1, 1150)
    #local A = I * 2.39996323;
    #local D = 1.0 * sqrt(I / 1150);
    #local H = -0.20 * sqrt(max(0, 1 - D * D * 0.96)) - 0.03 * (D > 0.62) - 0.05 * exp(-pow((D - 0.8) / 0.12, 2)) + 0.05 * exp(-D * D / 0.06);
    #local C = rand(R);
    #if (D < 0.36)
      #local Hue = <0.16, 0.13, 0.018> * (0.6 + 0.5 * C);
    #else
      #if (D < 0.60) #local Hue = <0.075, 0.032, 0.010> * (0.6 + 0.8 * C);
      #else
        #local Hue = (C > 0.55 ? <0.55, 0.25, 0.012> : <0.16, 0.062, 0.010>) * (0.7 + 0.5 * rand(R));
      #end
    #end
    sphere {
      0, 0.026 + 0.006 * D
      scale <1, 1, 2.4 + (D > 0.6) * (1.2 + rand(R) * 1.2)>
      rotate <sin(A) * 30 * D, -cos(A) * 30 * D, 0>
      translate <D * cos(A), D * sin(A), H + (rand(R) - 0.5) * 0.03>
      texture { pigment { rgb Hue } finish { ambient 0 diffuse 0.85 specular 0.1 roughness 0.1 } }
    }
  #end
  rotate <-9, 12, 0>
  translate <0.02, 0.18, 0>
}
// Stem and leaves.
union {
  #for (I, 0, 220)
    #local T = I / 220;
    sphere { <0.06 * sin(T * 3), -0.3 - 4 * T, 0.55 + 0.25 * sin(T * 2)>, 0.13 }
  #end
  texture { pigment { rgb <0.12, 0.21, 0.03> } normal { bumps 0.3 scale 0.04 } finish { ambient 0 diffuse 0.8 } }
}
object { Leaf(2.2, 1.35, 0.34) rotate <-62, 0, 0> rotate <0, 25, 2> translate <0.15, -2.35, 0.5> }
object { Leaf(2.1, 1.3, 0.30) rotate <-58, 0, 0> rotate y * 158 rotate z * -8 translate <-0.05, -2.55, 0.5> }
// A field under a summer sky, far out of focus.
plane {
  z, 22
  texture {
    pigment {
      function { min(0.999, max(0, (y + 12) / 24 + 0.10 * (f_noise3d(x * 0.28, y * 0.28, 3) - 0.5) + 0.05 * (f_noise3d(x * 0.8, y * 0.8, 5) - 0.5))) }
      color_map {
        [0.02 rgb <0.045, 0.085, 0.012>] [0.22 rgb <0.11, 0.17, 0.022>] [0.30 rgb <0.19, 0.24, 0.04>] [0.36 rgb <0.34, 0.44, 0.42>]
        [0.44 rgb <0.36, 0.54, 0.80>] [0.70 rgb <0.16, 0.36, 0.76>] [1 rgb <0.08, 0.23, 0.62>]
      }
    }
    finish { ambient 0 diffuse 0 emission EV }
  }
}
