package triton

func (l *layout) backendCounters() {}

func (l *layout) backendGauges() {}

func (l *layout) backendHistograms() {}
