package fakes

import "time"

// XID is the code of the last error that the GPU's driver has reported since it was loaded; false where there was none.
func (g *GPU) XID(_ time.Time) (code int, ok bool) { return 0, false }

// Throttle is the share of its clock that a GPU is left with at a time: 1 where nothing slows it down.
func (g *GPU) Throttle(_ time.Time) float64 { return 1 }
