package node

import "math"

const (
	// synchronised is the kernel's clock status when a daemon keeps it right: STA_PLL and STA_NANO.
	synchronised = 0x0001 | 0x2000
	// leapSeconds is how far atomic time is ahead of UTC, in seconds.
	leapSeconds = 37
	// polling is how often the daemon sets the clock, in seconds. Until it does again the kernel's bound of the error grows.
	polling = 64
	// drift is how fast that bound grows, in seconds a second.
	drift = 500e-6
)

func maxClockError(s *snapshot) float64 { return micros(0.0042 + drift*math.Mod(s.uptime, polling)) }

func clocksources() []string { return []string{"acpi_pm", "hpet", "tsc"} }

func clocksourceSamples() []sample {
	var samples []sample
	for _, name := range clocksources() {
		samples = append(samples, sample{`clocksource="` + name + `",device="0"`, one})
	}
	return samples
}

// timeFamilies are what the time collector prints.
func timeFamilies() []family {
	return []family{
		{"node_time_clocksource_available_info", gauge, "Available clocksources read from '/sys/devices/system/clocksource'.",
			clocksourceSamples()},
		{"node_time_clocksource_current_info", gauge, "Current clocksource read from '/sys/devices/system/clocksource'.",
			[]sample{{`clocksource="tsc",device="0"`, one}}},
		{"node_time_seconds", gauge, "System time in seconds since epoch (1970).",
			single(func(s *snapshot) float64 { return s.now })},
		{"node_time_zone_offset_seconds", gauge, "System time zone offset in seconds.",
			[]sample{{`time_zone="UTC"`, none}}},
	}
}

// timexFamilies are what the timex collector prints. No pulse-per-second source is connected.
func timexFamilies() []family {
	return []family{
		{"node_timex_estimated_error_seconds", gauge, "Estimated error in seconds.", single(constant(0.000034))},
		{"node_timex_frequency_adjustment_ratio", gauge, "Local clock frequency adjustment.", single(constant(1.0000123))},
		{"node_timex_loop_time_constant", gauge, "Phase-locked loop time constant.", single(constant(7))},
		{"node_timex_maxerror_seconds", gauge, "Maximum error in seconds.", single(maxClockError)},
		{"node_timex_offset_seconds", gauge, "Time offset in between local system and reference clock.", single(constant(0.000021))},
		{"node_timex_pps_calibration_total", counter, "Pulse per second count of calibration intervals.", single(none)},
		{"node_timex_pps_error_total", counter, "Pulse per second count of calibration errors.", single(none)},
		{"node_timex_pps_frequency_hertz", gauge, "Pulse per second frequency.", single(none)},
		{"node_timex_pps_jitter_seconds", gauge, "Pulse per second jitter.", single(none)},
		{"node_timex_pps_jitter_total", counter, "Pulse per second count of jitter limit exceeded events.", single(none)},
		{"node_timex_pps_shift_seconds", gauge, "Pulse per second interval duration.", single(none)},
		{"node_timex_pps_stability_exceeded_total", counter, "Pulse per second count of stability limit exceeded events.", single(none)},
		{"node_timex_pps_stability_hertz", gauge, "Pulse per second stability, average of recent frequency changes.", single(none)},
		{"node_timex_status", gauge, "Value of the status array bits.", single(constant(synchronised))},
		{"node_timex_sync_status", gauge, "Is clock synchronized to a reliable server (1 = yes, 0 = no).", single(one)},
		{"node_timex_tai_offset_seconds", gauge, "International Atomic Time (TAI) offset.", single(constant(leapSeconds))},
		{"node_timex_tick_seconds", gauge, "Seconds between clock ticks.", single(constant(0.01))},
	}
}
