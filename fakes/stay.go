package fakes

import "time"

// Stay is a time for which a server has a model without a break. Its counters begin at 0 with it.
type Stay struct {
	From time.Time
	To   time.Time // zero for a stay that does not end
	// AtStart says that the model was loaded as its server started, and not into a running one.
	AtStart bool
}

// Stays are the times for which Triton has the model, in order.
func (m *Model) Stays() []Stay {
	return []Stay{{From: m.Loaded(), AtStart: m.LoadedAtStart()}}
}

// Started is when the process of an exporter, by its name, was started that runs at a time, or last ran before it.
func (w *World) Started(_ string, _ time.Time) time.Time { return w.start }

// Outage is what keeps a scrape of an exporter from being answered as usual.
type Outage struct {
	// Refused says that nobody listens: connections are refused.
	Refused bool
	// Lost says that the machine is gone: nothing comes back, not even a refusal.
	Lost bool
	// Delay is how long the answer takes beyond the usual.
	Delay time.Duration
}

// Outage is that of an exporter, by its name, at a time; the zero Outage where scrapes are answered at once.
func (w *World) Outage(_ string, _ time.Time) Outage { return Outage{} }
