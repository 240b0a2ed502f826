package dcgm

// KnownCounter says whether a counters file may name a metric: a field of DCGM's, or one of the exporter's own.
func KnownCounter(name string) bool {
	if _, ok := ownMetrics()[name]; ok {
		return true
	}
	known, err := fields()
	if err != nil {
		panic("dcgm: " + err.Error()) // a test reads all of it
	}
	_, ok := known[name]
	return ok
}

// ImageCounters are the counters files that come with the image, the one first that is read where none is named.
func ImageCounters() []string {
	return []string{defaultCounters, imageDir + "/dcp-metrics-included.csv", imageDir + "/1.x-compatibility-metrics.csv"}
}
