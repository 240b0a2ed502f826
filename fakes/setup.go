package fakes

// Setup is how an exporter is built and started: its release, and what a compose file says of its process. The zero Setup is the
// newest release that is acted out, started without a word.
type Setup struct {
	// Version is the release as its maintainers write it, "24.07", "3.3.5-3.4.0" or "1.9.1"; "" is the newest acted out.
	Version string `json:"version,omitempty"`
	// Args is the command line behind the program's name. What says nothing about metrics is passed over, as the real one would do
	// something with it that a scrape does not show.
	Args []string `json:"args,omitempty"`
	// Env are the environment variables by which the exporter is told what its command line could, by name.
	Env map[string]string `json:"env,omitempty"`
	// Files are the contents of the files that Args and Env name, by the path named there.
	Files map[string]string `json:"files,omitempty"`
	// Hostname is the container's own, "" where it is the container's id.
	Hostname string `json:"hostname,omitempty"`
	// Recording is what an exporter that replays has recorded, as its file holds it; nil for the others.
	Recording []byte `json:"recording,omitempty"`
}
