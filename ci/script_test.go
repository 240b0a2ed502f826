package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/internal/chromium"
	"github.com/panelgate/panelgate/internal/engine"
	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) {
	docker.Prepare()
	testscript.Main(leak.Checked{M: m}, map[string]func(){"panelgate": main})
}

// TestScripts runs the command as a person would, each script on its own copy
// of the shipped stack, broken in one place.
func TestScripts(t *testing.T) {
	testscript.Run(t, scripts("", filepath.Join("testdata", "script", "*.txtar")))
}

// TestScriptsInDocker runs those of the same scripts that break the stack with real
// servers: rule, position and exit code must be what they are embedded.
func TestScriptsInDocker(t *testing.T) {
	if testing.Short() {
		t.Skip("containers are left out with -short")
	}
	engine.Servers(t)
	var files []string
	for _, name := range faults() {
		files = append(files, filepath.Join("testdata", "script", name+".txtar"))
	}
	testscript.Run(t, scripts("docker", files...))
}

// TestScriptsInDagger runs some of the same scripts in a Dagger session, and those that
// are about Dagger alone: dagger run go test ./ci -run Dagger.
func TestScriptsInDagger(t *testing.T) {
	if testing.Short() {
		t.Skip("containers are left out with -short")
	}
	engine.Session(t)
	session, err := dagger.Connect(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	// Some scripts have little time, and none for building.
	if _, _, err := session.Programs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	files := []string{filepath.Join("testdata", "script", "dagger_*.txtar"), filepath.Join("testdata", "script", "containers_*.txtar")}
	for _, name := range []string{
		"clean", "wrong_uid", "metric_renamed", "triton_down", "datasource_url_localhost", "prometheus_yml_broken", "dashboard_uid_duplicate",
		"value_missing", "localhost_target", "stack_in_the_hosts_network", "stack_of_other_names",
	} {
		files = append(files, filepath.Join("testdata", "script", name+".txtar"))
	}
	testscript.Run(t, scripts("dagger", files...))
}

// scripts are the files' scripts, run in an environment; "" leaves that to them.
func scripts(where string, globs ...string) testscript.Params {
	var files []string
	for _, g := range globs {
		found, err := filepath.Glob(g)
		if err != nil || len(found) == 0 {
			panic(fmt.Sprintf("no script %s: %v", g, err))
		}
		files = append(files, found...)
	}
	return testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PANELGATE_ENV", where)
			env.Setenv("PANELGATE_NO_CACHE", "true") // each script proves what it is about; those about the cache take this back
			// Temporary files of the command land where the script can see them.
			tmp := filepath.Join(env.WorkDir, "tmp")
			env.Setenv("TMPDIR", tmp)
			if err := os.MkdirAll(tmp, 0o755); err != nil {
				return err
			}
			if err := dockerEnvironment(env); err != nil {
				return err
			}
			env.Setenv("CONTAINERS", "docker") // where scripts run containers that are not particular
			if where == "dagger" {
				env.Setenv("CONTAINERS", "dagger")
				for _, kv := range engine.SessionEnviron() {
					name, value, _ := strings.Cut(kv, "=")
					env.Setenv(name, value)
				}
			}
			return copyStack(filepath.Join("..", "stack"), filepath.Join(env.WorkDir, "stack"))
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "docker":
			case "containers":
				if where == "dagger" {
					return true, nil
				}
			case "dagger":
				return where == "dagger", nil
			case "chromium":
				return chromium.Available()
			default:
				return false, fmt.Errorf("unknown condition %q", name)
			}
			if testing.Short() {
				return false, nil
			}
			return engine.Available()
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"gate":      cmdGate,
			"edit":      cmdEdit,
			"finding":   cmdFinding,
			"folds":     cmdFolds,
			"annotated": cmdAnnotated,
			"tidy":      cmdTidy,
			"await":     cmdAwait,
			"swept":     cmdSwept,
			"occupy":    cmdOccupy,
			"idle":      cmdIdle,
			"exporter":  cmdExporter,
		},
	}
}

// faults are the scripts that break the stack.
func faults() []string {
	return []string{
		"broken_json", "dashboard_uid_duplicate", "datasource_url_localhost", "ds_prometheus_left_in", "empty_dashboard_folder", "exporter_404",
		"label_renamed", "localhost_target", "metric_renamed", "no_traffic", "only_nan", "panel_id_duplicate", "placeholder_left_in",
		"port_conflict", "prometheus_yml_broken", "provider_path_not_mounted", "recording_rule", "removed_panel_type", "syntax_error",
		"target_port_wrong", "triton_down", "triton_unmapped", "triton_wrong_path", "uid_missing_in_provisioning", "undefined_variable",
		"v2_export", "value_missing", "variable_reasons", "variable_yields_nothing", "window_too_short", "wrong_uid", "clean", "history_cap", "stack_in_the_hosts_network", "stack_of_other_names",
	}
}

// dockerEnvironment lets scripts run containers: they begin with
//
//	[!docker] skip 'needs docker'
//
// and say --env docker. The images are the test machine's in place of those that the
// compose file names; PANELGATE_REQUIRE=docker makes a failure of the skip.
func dockerEnvironment(env *testscript.Env) error {
	if err := engine.ExpectOnLoopback(); err != nil {
		return err
	}
	for _, kv := range engine.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		env.Setenv(name, value)
	}
	prometheus, grafana := engine.TestImages()
	env.Setenv("PANELGATE_IMAGE_PROMETHEUS", prometheus)
	env.Setenv("PANELGATE_IMAGE_GRAFANA", grafana)
	return nil
}

// copyStack copies what is deployed, leaving the Go files beside it.
func copyStack(from, to string) error {
	return filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		switch ext := filepath.Ext(file); {
		case d.IsDir() && (rel == "testdata" || rel == "source" || rel == "dashboard"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case ext != ".json" && ext != ".yml" && ext != ".yaml" && d.Name() != ".env.example":
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
}

// cmdGate runs the command and wants an exit code: gate CODE [args…]
func cmdGate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: gate CODE [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec("panelgate", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("run panelgate: %v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// cmdEdit replaces the first occurrence of a text in a file, which must be
// there: edit FILE OLD NEW
func cmdEdit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	file, old := ts.MkAbs(args[0]), unescape(args[1])
	data, err := os.ReadFile(file)
	ts.Check(err)
	if !strings.Contains(string(data), old) {
		ts.Fatalf("%s does not hold %q", args[0], old)
	}
	ts.Check(os.WriteFile(file, []byte(strings.Replace(string(data), old, unescape(args[2]), 1)), 0o644))
}

// unescape lets a script write line breaks.
func unescape(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }

// cmdFolds wants a stream of events that folds into a report to the letter, and that has
// told the queries of its dashboards before it told how long anything took:
// folds STREAM REPORT
func cmdFolds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: folds STREAM REPORT")
	}
	queries, ahead := 0, true
	d, err := report.ReadEvents(strings.NewReader(ts.ReadFile(args[0])), func(e report.Event) {
		switch {
		case e.Query != nil:
			queries++
		case e.Stage != nil:
			ahead = ahead && queries > 0
		}
	})
	ts.Check(err)
	var folded strings.Builder
	ts.Check(report.JSON(&folded, d))
	if folded.String() != ts.ReadFile(args[1]) {
		ts.Fatalf("%s does not fold into %s", args[0], args[1])
	}
	if !ahead || queries != len(d.Queries) {
		ts.Fatalf("%s has %d queries, told ahead: %v; the report has %d", args[0], queries, ahead, len(d.Queries))
	}
}

// cmdFinding wants a finding in result.json whose position is exactly where a
// text stands in a file, and optionally its reason: finding RULE FILE TEXT [REASON].
// An empty text wants the file as a whole; "! finding RULE" wants none.
func cmdFinding(ts *testscript.TestScript, neg bool, args []string) {
	var result struct {
		Env      string
		Findings []struct {
			Rule, File, Reason, Message string
			Line, Column                int
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("result.json")), &result))
	if where := ts.Getenv("PANELGATE_ENV"); where != "" && result.Env != where {
		ts.Fatalf("the stack ran in %s, not in %s", result.Env, where)
	}
	if !neg && len(args) < 3 || neg && len(args) != 1 {
		ts.Fatalf("usage: finding RULE FILE TEXT [REASON], or ! finding RULE")
	}
	var seen []string
	for _, f := range result.Findings {
		at := fmt.Sprintf("%s %s:%d:%d %s: %s", f.Rule, f.File, f.Line, f.Column, f.Reason, f.Message)
		seen = append(seen, at)
		if f.Rule != args[0] {
			continue
		}
		if neg {
			ts.Fatalf("unwanted finding: %s", at)
		}
		if f.File == args[1] && standsAt(ts, f.File, f.Line, f.Column, unescape(args[2])) &&
			(len(args) < 4 || f.Reason == args[3]) {
			return
		}
	}
	if !neg {
		ts.Fatalf("no finding %q; there are:\n%s", args, strings.Join(seen, "\n"))
	}
}

// cmdAnnotated wants an annotation whose file, seen from the directory above the
// repository's subdirectory, has a text at its line and column: annotated FILE RULE PATH TEXT
func cmdAnnotated(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: annotated FILE RULE PATH TEXT")
	}
	root := ts.Getenv("GITHUB_WORKSPACE")
	command := regexp.MustCompile(`(?m)^::error file=([^,]*),line=(\d+),col=(\d+),title=([^:]*)::`)
	for _, m := range command.FindAllStringSubmatch(ts.ReadFile(args[0]), -1) {
		line, err := strconv.Atoi(m[2])
		ts.Check(err)
		column, err := strconv.Atoi(m[3])
		ts.Check(err)
		if m[1] == args[2] && m[4] == args[1] && standsAt(ts, filepath.Join(root, m[1]), line, column, args[3]) {
			return
		}
	}
	ts.Fatalf("no annotation %q in:\n%s", args, ts.ReadFile(args[0]))
}

func standsAt(ts *testscript.TestScript, file string, line, column int, text string) bool {
	if text == "" {
		return true
	}
	lines := strings.SplitAfter(ts.ReadFile(file), "\n")
	if line < 1 || line > len(lines) || column < 1 || column > len(lines[line-1])+1 {
		return false
	}
	return strings.HasPrefix(strings.Join(lines[line-1:], "")[column-1:], text)
}

// cmdTidy wants that nothing was left in the temporary directory.
func cmdTidy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: tidy")
	}
	entries, err := os.ReadDir(ts.MkAbs("tmp"))
	ts.Check(err)
	for _, e := range entries {
		ts.Fatalf("left behind: %s", e.Name())
	}
}

// cmdAwait waits until a file matches, and holds a text: await GLOB [TEXT]
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: await GLOB [TEXT]")
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if len(found) > 0 && (len(args) == 1 || strings.Contains(ts.ReadFile(found[0]), args[1])) {
			return
		}
	}
	ts.Fatalf("nothing matches %s", args)
}

// cmdSwept waits until the engine has nothing left of the run whose log is in a
// file: swept FILE
func cmdSwept(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: swept FILE")
	}
	m := regexp.MustCompile(`msg="connected to the Docker engine".* run=([0-9a-f]+)`).FindStringSubmatch(ts.ReadFile(args[0]))
	if m == nil {
		ts.Fatalf("%s names no run", args[0])
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		left, err := engine.Labelled("org.panelgate.run=" + m[1])
		ts.Check(err)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("left behind: %s", left)
		}
	}
}

// cmdOccupy takes a port of this host until the script ends and puts its number into
// a variable: occupy NAME
func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ts.Check(l.Close()) })
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// cmdIdle waits until no process runs in the containers of the Dagger engine, where the
// tests are told by which control group to know them.
func cmdIdle(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: idle")
	}
	group := engine.SessionGroup()
	if group == "" {
		ts.Logf("what runs in the engine is not known here")
		return
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		running, err := processes(group)
		ts.Check(err)
		if running == 0 {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%d processes are left in the engine's containers", running)
		}
	}
}

// processes counts those of a control group and all below it.
func processes(group string) (n int, err error) {
	err = filepath.WalkDir(group, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return ignoreGone(err)
		}
		data, err := os.ReadFile(file)
		n += strings.Count(string(data), "\n")
		return ignoreGone(err)
	})
	return n, err
}

// ignoreGone drops the error of what has ended while it was looked at.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
		return nil
	}
	return err
}
