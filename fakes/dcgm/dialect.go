package dcgm

import "github.com/panelgate/panelgate/fakes/release"

// dialect is how a release prints, beside what its counters files hold.
type dialect struct {
	release    release.Release
	ungrouped  bool   // every HELP and TYPE first, then the lines GPU by GPU
	spaced     bool   // a space before the first labels of a line
	model      bool   // a modelName label
	hostname   string // the label of the host's name, "" for none
	labels     bool   // fields can be labels
	byField    bool   // families by number of their field, not as in the counters file
	pciBus     bool   // a pci_bus_id label
	errorLabel bool   // err_code and err_msg on XID errors
	blankZero  bool   // what a GPU does not have is 0 rather than left out
	instances  instanceFields
	emptyPods  bool // pod labels on GPUs that no pod has, empty
	podUID     podUID
	podLabels  bool // labels of pods on request
	jobs       bool // jobs of a batch system
	remoteHost bool // the name of a remote host engine's host in place of its own
	entities   bool // NVSwitches and their links
	cpus       bool // CPUs and their cores
	gpuLinks   bool // a GPU's NVLinks line by line
	lost       loss
}

// loss is what a release has lost by mistake.
type loss int

const (
	lostNothing  loss = iota
	lostMemory        // how much of a GPU's memory is in use and free
	lostActivity      // what is measured within an L40S
)

// instanceFields is what is known of a GPU instance.
type instanceFields int

const (
	instanceActivity instanceFields = iota // what is measured in it, and errors
	instanceAll                            // and what its GPU has as a whole, but for utilisation
)

// podUID is when lines have the pod's UID.
type podUID int

const (
	podUIDNever podUID = iota
	podUIDAlways
	podUIDAsked
)

func dialectOf(r release.Release) dialect {
	d := dialect{
		release:    r,
		ungrouped:  r.Before("2.2.9"),
		spaced:     r.Before("2.1.4"),
		model:      r.Since("2.2.9"),
		labels:     r.Since("2.4.6"),
		byField:    r.Since("3.3.5"),
		pciBus:     r.Since("3.3.7"),
		errorLabel: r.Since("3.3.6"),
		blankZero:  r.Before("4.5.2"),
		instances:  instanceActivity,
		emptyPods:  r.Before("3.3.5"),
		podLabels:  r.Since("4.2.0"),
		jobs:       r.Since("3.3.5"),
		remoteHost: r.Since("3.3.6"),
		entities:   r.Since("3.1.3"),
		cpus:       r.Since("3.3.0"),
		gpuLinks:   r.Since("4.5.1"),
	}
	switch {
	case r.Since(release.Tip):
		d.hostname = "hostname"
	case r.Since("2.1.4"):
		d.hostname = "Hostname"
	}
	if r.Since("2.3.1") {
		d.instances = instanceAll
	}
	switch {
	case r.Since("2.4.5") && r.Before("2.4.6"):
		d.lost = lostMemory
	case since(r, "4.1.1-4.0.4") && r.Before("4.2.3"):
		d.lost = lostActivity
	}
	switch {
	case r.Since(release.Tip):
		d.podUID = podUIDAsked
	case r.Since("4.4.1"):
		d.podUID = podUIDAlways
	}
	return d
}
