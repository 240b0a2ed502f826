// Package stack is what panelgate puts under test: the compose file,
// prometheus.yml, Grafana's provisioning and dashboards of one directory, read
// into a Go model in which every value keeps its file, line and column. It
// knows nothing of running anything. The same directory holds the stack that
// the project ships.
package stack

import (
	"io/fs"
	"reflect"
	"time"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// Stack is the model of one directory.
type Stack struct {
	Dir         string // absolute
	Compose     *Compose
	Prometheus  *Prometheus
	Grafana     *Grafana
	Datasources []*Datasource
	Providers   []*Provider
	Dashboards  []*Board
	// Alerts are the alert rules that Grafana's provisioning brings; those of
	// Prometheus are in its rule files.
	Alerts []*AlertRule
	// Problems are inputs that could not be read. They are findings, each under
	// the rule that its Area belongs to: nothing is skipped in silence.
	Problems []Problem
	// Files are the paths that the model was read from, in their order, also those that
	// could not be read.
	Files []string

	read map[string]reading // dashboard files, by path
}

// SameBesides says whether two loads of a stack have found the same in everything
// that is no dashboard, down to where it stands in its file.
func (s *Stack) SameBesides(other *Stack) bool {
	return s.Dir == other.Dir && reflect.DeepEqual(s.besides(), other.besides())
}

// besides are the parts of the model that dashboards are none of. What could not be
// read of a dashboard is its own.
func (s *Stack) besides() []any {
	var problems []Problem
	for _, p := range s.Problems {
		if p.Area != AreaDashboard {
			problems = append(problems, p)
		}
	}
	return []any{s.Compose, s.Prometheus, s.Grafana, s.Datasources, s.Providers, s.Alerts, problems}
}

// Area says which part of the stack a problem lies in.
type Area uint8

// The areas a stack is read in.
const (
	AreaCompose Area = iota
	AreaPrometheus
	AreaDatasource
	AreaProvider
	AreaDashboard
	AreaAlerting
)

// Problem is an input that could not be read.
type Problem struct {
	Area Area
	source.Problem
}

// Compose is the compose project, as far as panels depend on it.
type Compose struct {
	File     string
	Services []*Service
	// Variables are the names that its files and the .env beside them may take from the
	// environment of whoever reads them.
	Variables []string
}

// Service is one service of the compose file.
type Service struct {
	Name          string
	Pos           source.Pos
	ContainerName string
	Restart       string // "no", "always", "on-failure[:N]", "unless-stopped", "" for none
	Hostname      string
	Image         source.Text
	HasBuild      bool
	Profiles      []string
	// Entrypoint and Command are nil where the file leaves them to the image, and
	// empty where it clears those of the image.
	Entrypoint  []string
	Command     []string
	User        string
	WorkingDir  string
	Environment map[string]source.Text
	Ports       []Port
	Expose      []string
	Mounts      []Mount
	Tmpfs       []string // as written: a path, options after a colon
	ReadOnly    bool     // the container's own file system
	CapAdd      []string
	ExtraHosts  map[string]string
	NetworkHost bool
	// NetworkOf is the service whose network this one shares, "" for its own.
	NetworkOf string
	Aliases   []string // further names on its networks
	// NetworkAliases are the further names by the network they are known on.
	NetworkAliases map[string][]string
	// Networks are those it is on, "default" where the file names none; empty in
	// the host's network or another service's.
	Networks        []string
	DependsOn       []Dependency
	Healthcheck     *Healthcheck // nil where the file leaves it to the image
	StopSignal      string
	StopGracePeriod time.Duration // 0: the engine's own
}

// Dependency is a service that another one waits for before it starts.
type Dependency struct {
	Name      string
	Condition string // one of the Service… conditions
	Required  bool   // false: it may be absent
	Pos       source.Pos
}

// What a service may wait for in another one.
const (
	ServiceStarted               = "service_started"
	ServiceHealthy               = "service_healthy"
	ServiceCompletedSuccessfully = "service_completed_successfully"
)

// Healthcheck is how the engine asks a container whether it is well. What is 0
// or nil is left to the image and then to the engine.
type Healthcheck struct {
	Test          []string // "CMD" or "CMD-SHELL" first
	Interval      time.Duration
	Timeout       time.Duration
	StartPeriod   time.Duration
	StartInterval time.Duration
	Retries       int
	Disabled      bool // the image's own too
	Pos           source.Pos
}

// Port is a published port.
type Port struct {
	HostIP    string
	Published int // 0: an ephemeral one
	Target    int
	Protocol  string
	Pos       source.Pos
}

// Mount is a path of the container that comes from elsewhere.
type Mount struct {
	Type     string // "bind", "volume", "tmpfs", "config"
	Source   string // bind: absolute path on the host; volume: its name, "" for an anonymous one
	Target   string
	ReadOnly bool
	// SourceMissing says that a bind mount's source is not on this machine;
	// compose would make an empty directory of that name.
	SourceMissing bool
	// Relative says that the source is written relative to the compose file, and
	// so is part of what is kept as code, wherever it lies.
	Relative bool
	SubPath  string // of a volume: the directory in it that is mounted, "" for all
	// Inline says that a config's or secret's content stands in the compose file or
	// in a variable that it names; there is no Source then. Content is nil where
	// that variable is not set.
	Inline  bool
	Content []byte
	// External says that a config or secret is kept by the engine (of a swarm, that
	// is): no file of the stack has its content.
	External bool
	// Mode, UID and GID are what a config or secret is to have in the container, 0
	// and "" where the file leaves them out.
	Mode     fs.FileMode
	UID, GID string
	Pos      source.Pos

	origin source.Origin // of an inline content
}

// Prometheus is prometheus.yml and what it leads to.
type Prometheus struct {
	File          string // relative to the stack's directory
	ContainerPath string // what the file is called inside the container
	Path          string // absolute, on this machine
	// Inline says that it is no file of its own but a config of the compose file,
	// which File and Path name then.
	Inline         bool
	Content        []byte
	Node           *source.Node
	ScrapeInterval time.Duration // global
	EvalInterval   time.Duration
	Jobs           []*Job
	RuleFiles      []*RuleFile
	Service        *Service // that runs it, nil without a compose file
	// ByConvention says that the file was found by its usual name: no mount
	// brings it into the container.
	ByConvention bool

	origin source.Origin // of Content
	paths  *Service      // whose mounts lead from container paths to this machine
	// unmapped is a directory that does not exist, under which container paths
	// end up that no mount leads to.
	unmapped string
}

// Job is one scrape config.
type Job struct {
	Name           source.Text
	ScrapeInterval time.Duration // with the global one filled in
	ScrapeTimeout  time.Duration
	MetricsPath    string
	Scheme         string
	Targets        []Target // of static_configs and file_sd_configs, as written
	// Discoveries names the service discoveries it uses besides static_configs.
	Discoveries []string
	Pos         source.Pos
	Node        *source.Node
}

// Target is an address that a job scrapes, before relabelling.
type Target struct {
	Address   source.Text
	Discovery string // "static" or "file"
}

// RuleFile is a file of recording and alerting rules. A rule_files entry that
// finds no file, which Prometheus passes over in silence, is one with File and
// Path empty.
type RuleFile struct {
	File    string
	Path    string        // absolute
	Pattern source.Text   // the rule_files entry that found it
	Records []source.Text // names recorded
	Groups  []*RuleGroup
}

// RuleGroup is a group of rules that are evaluated together.
type RuleGroup struct {
	Name     source.Text
	Interval time.Duration // with the global evaluation_interval filled in
	Rules    []*Rule
	Pos      source.Pos
}

// Rule is a recording or an alerting rule of a rule file: one of Record and Alert
// is set.
type Rule struct {
	Group              *RuleGroup
	Record, Alert      source.Text
	Expr               source.Text
	For, KeepFiringFor RuleDuration
	Labels             []RuleLabel // in the order of the file
	Annotations        []RuleLabel
	Pos                source.Pos
}

// RuleDuration is a duration of a rule, 0 where the file leaves it out or has none
// that can be read.
type RuleDuration struct {
	source.Text
	Duration time.Duration
}

// RuleLabel is a label or an annotation of a rule.
type RuleLabel struct {
	Name  string
	Value source.Text
}

// Grafana is what the compose file says of the Grafana service.
type Grafana struct {
	Service *Service // nil without a compose file
	Version string   // "13.2.1" from the image's tag, "" where it does not tell
	// ProvisioningDir is the absolute path on this machine of what Grafana reads
	// as its provisioning folder, "" where no mount leads there. DatasourceDir,
	// DashboardDir and AlertingDir are subfolders of it, which may be mounted on
	// their own.
	ProvisioningDir string
	DatasourceDir   string
	DashboardDir    string
	AlertingDir     string
	// ByConvention says that the folders were found by their usual names: no mount
	// brings them into the container.
	ByConvention bool
	// Env is the environment that provisioning files are expanded from.
	Env map[string]string

	paths *Service // whose mounts lead from container paths to this machine
}

// Datasource is a provisioned datasource.
type Datasource struct {
	Name, Type, UID, URL source.Text
	// EffectiveUID is UID, or what Grafana derives from the name without one.
	EffectiveUID string
	OrgID        int64
	IsDefault    bool
	TimeInterval source.Text // jsonData.timeInterval
	HTTPMethod   string      // jsonData.httpMethod
	Pos          source.Pos
	Node         *source.Node
}

// Provider is a dashboard provider of Grafana's provisioning.
type Provider struct {
	Name, Type source.Text
	OrgID      int64
	Folder     source.Text
	FolderUID  source.Text
	// Path is options.path as Grafana sees it; Dir is the same place on this
	// machine, "" where no mount leads there. Dir may be a place where nothing is.
	Path                      source.Text
	Dir                       string
	FoldersFromFilesStructure bool
	Pos                       source.Pos
	Node                      *source.Node
}

// Board is a dashboard file as a provider finds it.
type Board struct {
	*dashboard.Dashboard
	Provider *Provider
	Folder   string // title of the Grafana folder, "" for the top ("General")
}
