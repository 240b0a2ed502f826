package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/compare"
	"github.com/panelgate/panelgate/fakes/likeness"
	"github.com/panelgate/panelgate/fakes/recording"
	"github.com/panelgate/panelgate/fakes/standard"
)

const verifyFakeLong = `verify-fake holds a fake against a scrape of the real exporter: a recording, a body that
curl has saved, or one that is made now. It compares which families there are and in which
order, TYPE, HELP, the labels of series and their order, which series there are, how numbers
are spelled, and the content type.

Nothing has to be said of the exporter. Which one it is follows from the families; how it was
started, and on what machine, is found out from what the page has: flags, GPUs, models in the
order in which they were loaded. The fake is set up in the same way, as the release that then
differs least. What is told replaces what would be found: --version, --setting, --hostname,
--scenario, and behind -- the exporter's own command line.`

const verifyFakeExample = `  go run ./ci verify-fake --against triton.rec
  go run ./ci verify-fake --against http://gpu-box:9400/metrics --version 3.3.5-3.4.0
  go run ./ci verify-fake --against dcgm.prom --setting DCGM_EXPORTER_KUBERNETES=true
  go run ./ci verify-fake --against triton.prom -- --metrics-config summary_latencies=true`

const verifyFakeCodes = `  0  nothing differs
  1  something differs
  2  wrong usage
  3  could not be compared
`

// verifyFlags are the flags of verify-fake.
type verifyFlags struct {
	against   string
	exporter  string
	version   string
	scenario  string
	settings  []string
	hostname  string
	partial   bool
	json      string
	headerEnv []string
}

func verifyFakeCommand(stdout, _ io.Writer) *cobra.Command {
	var v verifyFlags
	cmd := &cobra.Command{
		Use:         "verify-fake --against FILE|URL [-- ARG...]",
		Short:       "Hold a fake against a scrape of the real exporter",
		Long:        verifyFakeLong,
		Example:     verifyFakeExample,
		Annotations: map[string]string{exitCodesOf: verifyFakeCodes},
		Args: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); dash > 0 || dash < 0 && len(args) > 0 {
				return fmt.Errorf("%q: the exporter's command line stands behind --", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return v.run(cmd.Context(), args, stdout)
		},
	}
	f := cmd.Flags()
	f.StringVar(&v.against, "against", "", "compare with this `FILE|URL`: a recording, a saved scrape, or what answers there now")
	f.StringVar(&v.exporter, "exporter", "", "the `name` of the fake (default: told by the families)")
	f.StringVar(&v.version, "version", "", "the `version` of the fake, as 24.07 (default: the one that differs least)")
	f.StringVar(&v.scenario, "scenario", "", "what the fake acts out: `NAME|FILE`, a built-in scenario or one of your own (default: the machine that the scrape shows)")
	f.StringArrayVar(&v.settings, "setting", nil, "an environment variable of the exporter, as DCGM_EXPORTER_KUBERNETES=true for `NAME=VALUE`; may be repeated")
	f.StringVar(&v.hostname, "hostname", "", "the host `name` of the exporter's container (default: the one that the scrape shows)")
	f.BoolVar(&v.partial, "partial", false, "the real scrape is a part of a page, as documentation shows it (default: where nothing is there that is always printed)")
	f.StringVar(&v.json, "json", "", "write `file`: JSON (- for standard output, in place of the text)")
	addHeaderEnv(cmd, &v.headerEnv)
	completeFlag(cmd, "exporter", standard.Names()...)
	return cmd
}

// verified is what came of it, as --json writes it.
type verified struct {
	Schema      int                  `json:"schema"`
	Against     string               `json:"against"`
	Exporter    string               `json:"exporter"`
	Version     string               `json:"fake_version"`
	Told        bool                 `json:"version_told"` // else it is the one that differs least
	AlsoLike    []string             `json:"also_like,omitempty"`
	Setup       verifiedSetup        `json:"setup"`
	Likeness    []string             `json:"likeness,omitempty"` // the setup and the machine in words
	Scenario    string               `json:"scenario,omitempty"` // that was made of the scrape, as YAML
	Machine     bool                 `json:"series_compared"`
	Partial     bool                 `json:"partial,omitempty"`
	Families    int                  `json:"families"`
	Differences []compare.Difference `json:"differences"`
	Asides      []compare.Difference `json:"asides"`
	ExitCode    int                  `json:"exit_code"`
}

// verifiedSetup is how the fake was set up.
type verifiedSetup struct {
	Args     []string          `json:"args,omitempty"`
	Env      map[string]string `json:"env,omitempty"`
	Files    map[string]string `json:"files,omitempty"`
	Hostname string            `json:"hostname,omitempty"`
}

func (v *verifyFlags) run(ctx context.Context, args []string, stdout io.Writer) error {
	if v.against == "" {
		return usage(errors.New("--against is missing: a recording, a saved scrape or a URL"))
	}
	real, err := v.read(ctx)
	if err != nil {
		return err
	}
	x := &verification{flags: v, args: args, catalogue: catalogue.New(), real: real}
	if err := x.choose(); err != nil {
		return err
	}
	result, err := x.best(ctx)
	if err != nil {
		return err
	}
	if len(result.Differences) > 0 {
		result.ExitCode = exitFindings
	}
	if err := v.tell(stdout, result); err != nil {
		return notRun(err)
	}
	if result.ExitCode != exitClean {
		return &exitError{code: result.ExitCode}
	}
	return nil
}

// realScrape is a scrape of the real exporter, and how it was asked for.
type realScrape struct {
	compare.Scrape
	accept string
}

func (v *verifyFlags) read(ctx context.Context) (*realScrape, error) {
	if strings.Contains(v.against, "://") {
		s, err := newScraper(v.against, v.headerEnv, mostWait)
		if err != nil {
			return nil, usage(fmt.Errorf("--against: %w", err))
		}
		v.against = s.public // which is what is shown
		one, err := s.scrape(ctx)
		if err != nil {
			return nil, ended(ctx, fmt.Errorf("scrape %s: %w", report.Clean(s.public), err), "scraping "+report.Clean(s.public))
		}
		return &realScrape{compare.Scrape{Body: one.Body, ContentType: one.ContentType()}, acceptedFormats()}, nil
	}
	data, err := os.ReadFile(v.against)
	if host, _, _ := strings.Cut(v.against, "/"); errors.Is(err, os.ErrNotExist) && strings.Contains(host, ":") {
		return nil, notRun(fmt.Errorf("read what to compare with: %w: to scrape it, write http://%s", err, v.against))
	}
	if err != nil {
		return nil, notRun(fmt.Errorf("read what to compare with: %w", err))
	}
	r, err := recording.Read(data, recording.Limits{})
	if err != nil {
		return nil, notRun(fmt.Errorf("%s: %w", v.against, err))
	}
	// The last has what came while it was recorded.
	last := &r.Scrapes[len(r.Scrapes)-1]
	out := &realScrape{compare.Scrape{Body: last.Body, ContentType: last.ContentType(), Redacted: len(r.Redacted) > 0}, acceptedFormats()}
	if last.ContentType() == "" && !strings.HasSuffix(strings.TrimSpace(string(last.Body)), "# EOF") {
		out.accept = "text/plain;version=0.0.4" // as curl is answered
	}
	return out, nil
}

// verification is a comparison on the way.
type verification struct {
	flags     *verifyFlags
	args      []string
	catalogue *catalogue.Catalogue
	real      *realScrape
	exporter  string
}

// choose says which exporter is compared.
func (x *verification) choose() error {
	x.exporter = x.flags.exporter
	names := standard.Names()
	if x.exporter != "" && !slices.Contains(names, x.exporter) {
		return usage(fmt.Errorf("--exporter %s: there is no such fake%s; there are %s", x.exporter, nearest.Hint(x.exporter, names), strings.Join(names, ", ")))
	}
	if x.exporter == "" {
		guess, err := compare.Guess(x.catalogue, x.real.Body)
		if err != nil {
			return notRun(fmt.Errorf("%s: %w", x.flags.against, err))
		}
		if !slices.Contains(names, guess) {
			return notRun(fmt.Errorf("%s: its families are of no exporter that is acted out (%s): say which with --exporter", x.flags.against, strings.Join(names, ", ")))
		}
		x.exporter = guess
	}
	return nil
}

// best is the comparison with the setup and the version that differ least.
func (x *verification) best(ctx context.Context) (*verified, error) {
	given, err := x.given()
	if err != nil {
		return nil, usage(err)
	}
	found, err := likeness.Nearest(ctx, x.catalogue, x.exporter, likeness.Scrape{Scrape: x.real.Scrape, Accept: x.real.accept}, given)
	var refused *likeness.SetupError
	if errors.As(err, &refused) {
		return nil, usage(err)
	}
	if err != nil {
		return nil, ended(ctx, fmt.Errorf("%s: %w", x.flags.against, err), "comparing")
	}
	if found.Families == 0 {
		return nil, notRun(fmt.Errorf("%s: no family is in both the scrape and the fake of %s: nothing was compared", x.flags.against, x.exporter))
	}
	out := &verified{
		Schema: 1, Against: x.flags.against, Exporter: x.exporter, Version: found.Version, Told: x.flags.version != "", AlsoLike: found.AlsoLike,
		Setup:    verifiedSetup{Args: found.Setup.Args, Env: found.Setup.Env, Files: found.Setup.Files, Hostname: found.Setup.Hostname},
		Likeness: found.Told, Machine: found.Derived, Partial: found.Partial,
		Families: found.Families, Differences: found.Differences, Asides: found.Asides,
	}
	switch {
	case given.Scenario != nil:
		out.Likeness = []string{"scenario " + given.Scenario.Name()}
	case found.Derived || x.exporter == "node":
		out.Scenario = string(found.Scenario)
	}
	return out, nil
}

// given is what the command line says of the exporter.
func (x *verification) given() (likeness.Given, error) {
	given := likeness.Given{
		Version: x.flags.version, Hostname: x.flags.hostname, Partial: x.flags.partial, Env: map[string]string{},
	}
	named := slices.Clone(x.args)
	for _, setting := range x.flags.settings {
		name, value, ok := strings.Cut(setting, "=")
		if !ok || name == "" {
			return given, fmt.Errorf("--setting %s: want NAME=VALUE, as DCGM_EXPORTER_KUBERNETES=true", setting)
		}
		given.Env[name] = value
		named = append(named, value)
	}
	if len(x.args) > 0 {
		given.Args = x.args
	}
	files, err := filesOf(named)
	if err != nil {
		return given, err
	}
	given.Files = files
	if x.flags.scenario == "" {
		return given, nil
	}
	load := fakes.BuiltinScenario
	if strings.ContainsAny(x.flags.scenario, `/\.`) {
		load = fakes.LoadScenario
	}
	if given.Scenario, err = load(x.flags.scenario); err != nil {
		return given, fmt.Errorf("--scenario: %w", err)
	}
	return given, nil
}

// filesOf reads the files that a command line names, as a CSV of counters.
func filesOf(args []string) (map[string]string, error) {
	const most = 1 << 20
	out := map[string]string{}
	for _, arg := range args {
		_, value, ok := strings.Cut(arg, "=")
		if !ok {
			value = arg
		}
		info, err := os.Stat(value)
		if err != nil || !info.Mode().IsRegular() || info.Size() > most {
			continue // nothing that names a file
		}
		data, err := os.ReadFile(value)
		if err != nil {
			return nil, fmt.Errorf("read what the command line names: %w", err)
		}
		out[value] = string(data)
	}
	return out, nil
}

func (v *verifyFlags) tell(stdout io.Writer, result *verified) error {
	if v.json == "" {
		return result.text(stdout)
	}
	write := func(w io.Writer) error {
		listed := *result
		listed.Differences = append([]compare.Difference{}, result.Differences...)
		listed.Asides = append([]compare.Difference{}, result.Asides...)
		return report.Encode(w, "JSON", listed)
	}
	if v.json == standardOutput {
		return write(stdout)
	}
	if err := writeFile(v.json, "json", write); err != nil {
		return err
	}
	return result.text(stdout)
}

// text tells people. In GitHub Actions the runner reads along, and the exporter is not to
// command it.
func (r *verified) text(w io.Writer) error {
	return disarmed(w, os.Getenv(runsInActions) == "true", r.plain)
}

func (r *verified) plain(w io.Writer) error {
	var b strings.Builder
	name := strings.TrimSpace(r.Exporter + " " + r.Version)
	fmt.Fprintf(&b, "%s was compared with the fake of %s", report.Clean(r.Against), name)
	if len(r.Likeness) > 0 {
		fmt.Fprintf(&b, ": %s", report.Clean(strings.Join(r.Likeness, ", ")))
	}
	b.WriteString("\n")
	if !r.Told && r.Version != "" {
		fmt.Fprintf(&b, "%s is the version that differs least", r.Version)
		const most = 5
		switch also := r.AlsoLike; {
		case len(also) > most:
			fmt.Fprintf(&b, "; as little differ %s … %s, %d in all", strings.Join(also[:most-1], ", "), also[len(also)-1], len(also))
		case len(also) > 0:
			fmt.Fprintf(&b, "; as little differ %s", strings.Join(also, ", "))
		}
		b.WriteString("\n")
	}
	if r.Partial {
		b.WriteString("the real scrape is a part of a page: what only the fake prints does not count\n")
	}
	if !r.Machine {
		b.WriteString("which series there are was not compared, as the machine is another\n")
	}
	fmt.Fprintf(&b, "%s in both, %s\n", countOf(r.Families, "family", "families"), differences(len(r.Differences)))
	writeGroups(&b, r.Differences)
	if len(r.Asides) > 0 {
		b.WriteString("\naside, as it follows from what was switched on or from the machine:\n")
	}
	writeDifferences(&b, r.Asides)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeGroups writes differences below what they are about.
func writeGroups(b *strings.Builder, list []compare.Difference) {
	for _, group := range []struct {
		title string
		kinds []compare.Kind
	}{
		{"which families there are, and in which order", []compare.Kind{compare.FamilyMissing, compare.FamilyExtra, compare.FamilyOrder}},
		{"HELP and TYPE", []compare.Kind{compare.Help, compare.Type, compare.HeaderOrder}},
		{"labels and series", []compare.Kind{compare.Labels, compare.LabelOrder, compare.Series, compare.SeriesOrder, compare.Bounds}},
		{"numbers", []compare.Kind{compare.NumberFormat}},
		{"the answer's headers", []compare.Kind{compare.ContentType}},
	} {
		of := slices.DeleteFunc(slices.Clone(list), func(d compare.Difference) bool { return !slices.Contains(group.kinds, d.Kind) })
		if len(of) > 0 {
			fmt.Fprintf(b, "\n%s:\n", group.title)
			writeDifferences(b, of)
		}
	}
}

func countOf(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

func differences(n int) string {
	switch n {
	case 0:
		return "nothing differs"
	case 1:
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", n)
}

// writeDifferences writes each once, with the families that differ in it: a release mostly changes many alike.
func writeDifferences(b *strings.Builder, list []compare.Difference) {
	type what struct {
		kind             compare.Kind
		real, fake, note string
	}
	families := map[what][]string{}
	var order []compare.Difference
	for _, d := range list {
		key := what{d.Kind, d.Real, d.Fake, d.Note}
		if families[key] == nil {
			order = append(order, d)
		}
		families[key] = append(families[key], d.Family)
	}
	for _, d := range order {
		d.Family = strings.Join(families[what{d.Kind, d.Real, d.Fake, d.Note}], ", ")
		writeDifference(b, d)
	}
}

func writeDifference(b *strings.Builder, d compare.Difference) {
	what := map[compare.Kind]string{
		compare.FamilyMissing: "the fake does not print it", compare.FamilyExtra: "the real one does not print it", compare.FamilyOrder: "the order of families differs",
		compare.HeaderOrder: "the order of HELP and TYPE differs", compare.LabelOrder: "the order of labels differs", compare.SeriesOrder: "the order of series differs",
		compare.NumberFormat: "numbers are spelled otherwise", compare.ContentType: "the content type differs", compare.Help: "HELP differs", compare.Type: "TYPE differs",
		compare.Labels: "labels differ", compare.Series: "there are other series", compare.Bounds: "buckets or quantiles differ",
	}[d.Kind]
	line := what
	if d.Family != "" {
		line = d.Family + ": " + what
	} else if d.Real == "" && d.Note != "" {
		line = d.Note
	}
	if d.Note != "" && line != d.Note {
		line += " (" + d.Note + ")"
	}
	fmt.Fprintf(b, "  %s\n", report.Clean(line))
	if d.Real != "" || d.Fake != "" {
		fmt.Fprintf(b, "      real  %s\n      fake  %s\n", report.Clean(d.Real), report.Clean(d.Fake))
	}
}
