// Fleecy clouds in a deep blue sky.
#version 3.7;
#include "common.inc"
Globals(false)
Still(<0, 0, 0>, <0, 0.95, 1>, 60, 1.5)
Sky(<0.03, 0.13, 0.46>, <0.36, 0.58, 0.90>, 0.66, 2.3, <0.75, 0, 0.65>)
