package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/need"
)

// The fault tests run the built command while something around it fails, and hold it to
// four things: the exit code, words that name what failed, reports that are whole or not
// there, and nothing left behind. They need Linux, whose process groups, limits and file
// systems they use.

// faulty is a copy of the shipped stack, and runs of the command on it.
type faulty struct {
	t        *testing.T
	dir, tmp string
	stdout   bytes.Buffer
	stderr   bytes.Buffer
	peak     int64 // bytes that the last run had resident at most
}

func newFaulty(t *testing.T) *faulty {
	dir := t.TempDir()
	f := &faulty{t: t, dir: dir, tmp: filepath.Join(dir, "tmp")}
	require.NoError(t, os.Mkdir(f.tmp, 0o755))
	require.NoError(t, copyStack(filepath.Join("..", "stack"), filepath.Join(dir, "stack")))
	return f
}

// command is the command in a group of processes of its own, by the words of a shell
// where before says what is done first.
func (f *faulty) command(before string, args ...string) *exec.Cmd {
	f.stdout.Reset()
	f.stderr.Reset()
	cmd := exec.CommandContext(f.t.Context(), "panelgate", args...) //nolint:gosec // the test binary itself
	if before != "" {
		cmd = exec.CommandContext(f.t.Context(), "sh", append([]string{"-c", before + `; exec panelgate "$@"`, "sh"}, args...)...) //nolint:gosec // of the test
	}
	cmd.Dir = f.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, twinPrefix) }),
		"TMPDIR="+f.tmp, "HOME="+f.dir)
	cmd.Stdout, cmd.Stderr = &f.stdout, &f.stderr
	return cmd
}

// run runs it to its end.
func (f *faulty) run(before string, args ...string) (code int) {
	cmd := f.command(before, args...)
	require.NoError(f.t, cmd.Start())
	return f.wait(cmd)
}

// wait waits for its end and holds it to have left nothing behind. Its ports are closed
// with the last of its processes.
func (f *faulty) wait(cmd *exec.Cmd) (code int) {
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(f.t, err, &exit)
	}
	f.peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	assert.ErrorIs(f.t, syscall.Kill(-cmd.Process.Pid, 0), syscall.ESRCH, "a process is left")
	f.tidy(f.tmp)
	return cmd.ProcessState.ExitCode()
}

func (f *faulty) tidy(dir string) {
	left, err := os.ReadDir(dir)
	require.NoError(f.t, err)
	for _, e := range left {
		assert.Fail(f.t, "left behind: "+e.Name())
	}
}

// result is what the JSON report says, nil where there is none. One that is there has to
// be whole, and to agree with the exit code.
func (f *faulty) result(name string, code int) *faultyResult {
	data, err := os.ReadFile(filepath.Join(f.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(f.t, err)
	var out faultyResult
	require.NoError(f.t, json.Unmarshal(data, &out), "half a report")
	assert.Equal(f.t, code, out.ExitCode)
	return &out
}

type faultyResult struct {
	Verdict  string `json:"verdict"`
	ExitCode int    `json:"exit_code"`
	Error    string `json:"error"`
	Findings []struct {
		Rule, Panel, Message, Fix string
		Evidence                  []string
	} `json:"findings"`
}

func (f *faulty) edit(name, from, to string) {
	file := filepath.Join(f.dir, name)
	data, err := os.ReadFile(file)
	require.NoError(f.t, err)
	require.Contains(f.t, string(data), from)
	require.NoError(f.t, os.WriteFile(file, []byte(strings.Replace(string(data), from, to, 1)), 0o644))
}

// TestInterruptedAtAnyTime sends a signal, or two, at each event that a check tells of.
func TestInterruptedAtAnyTime(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.edit(shippedBoard, `"from": "now-1h"`, `"from": "now-6h"`)
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	interrupted := 0
	for n := 1; ; n += 1 + n/10 { // each stage, and some of the queries
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, "result.json"), []byte(`{"verdict": "pass"}`), 0o644))
		cmd := f.command("", "--ndjson", "-", "--json", "result.json", "--junit", "result.xml")
		cmd.Stdout = nil
		events, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		seen, last := 0, ""
		lines := bufio.NewScanner(events)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			last = lines.Text()
			if seen++; seen == n {
				for range 1 + n%2 {
					require.NoError(t, cmd.Process.Signal(signals[n%len(signals)]))
				}
			}
		}
		require.NoError(t, lines.Err())
		code := f.wait(cmd)
		if twice := n%2 == 1; twice && code == exitNotRun && strings.Contains(last, `"event":"end"`) && strings.Contains(last, `"verdict":"pass"`) {
			break // all was told, and the second signal ended what had a second left to end by itself
		}
		result := f.result("result.json", code)
		require.NotNil(t, result, f.stderr.String())
		assert.Contains(t, last, `"event":"end"`)
		if result.Verdict == "pass" { // the run had its verdict before
			assert.Zero(t, code)
			break
		}
		interrupted++
		assert.Equal(t, exitNotRun, code, f.stderr.String())
		assert.Equal(t, "error", result.Verdict)
		assert.Contains(t, f.stderr.String(), "panelgate: interrupted while ")
	}
	assert.GreaterOrEqual(t, interrupted, 4)
}

// TestInterruptedCommands interrupts what has no stream of events, once it has begun to
// keep something on disk.
func TestInterruptedCommands(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"drift", []string{"drift", "--json", "result.json"}, exitNotRun, "interrupted "},
		{"matrix", []string{"--triton", "24.01,25.01,26.06", "--json", "result.json"}, exitNotRun, "interrupted "},
		{"selftest", []string{"selftest", "--json", "result.json"}, exitNotRun, "interrupted "},
		{"why", []string{"why", "up", "--json", "result.json"}, exitNotRun, "interrupted "},
		{"watch", []string{"watch"}, exitClean, ""}, // ctrl-C is how it ends
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFaulty(t)
			f.edit(shippedBoard, `"from": "now-1h"`, `"from": "now-24h"`)
			cmd := f.command("", test.args...)
			require.NoError(t, cmd.Start())
			f.await(filepath.Join(f.tmp, "panelgate-*"))
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
			if test.code != exitClean { // a second signal leaves a second for tidying up, and is no clean end after it
				require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			}
			assert.Equal(t, test.code, f.wait(cmd), f.stderr.String())
			assert.Contains(t, f.stderr.String(), test.says)
			if result := f.result("result.json", test.code); result != nil {
				assert.Equal(t, "error", result.Verdict)
			}
		})
	}
}

// TestInterruptedLint interrupts what only reads, while it reads hundreds of dashboards.
func TestInterruptedLint(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			f := newFaulty(t)
			board, err := os.ReadFile(filepath.Join(f.dir, shippedBoard))
			require.NoError(t, err)
			for i := range 400 {
				copied := bytes.Replace(board, []byte(`"uid": "triton"`), fmt.Appendf(nil, `"uid": "triton-%d"`, i), 1)
				require.NoError(t, os.WriteFile(filepath.Join(f.dir, filepath.Dir(shippedBoard), fmt.Sprintf("%d.json", i)), copied, 0o600))
			}
			cmd := f.command("", "lint", "--json", "result.json")
			require.NoError(t, cmd.Start())
			f.awaitRead(cmd.Process.Pid, 20*len(board))
			require.NoError(t, cmd.Process.Signal(signal))
			assert.Equal(t, exitNotRun, f.wait(cmd), f.stderr.String())
			assert.Contains(t, f.stderr.String(), "interrupted while ")
			if result := f.result("result.json", exitNotRun); assert.NotNil(t, result) {
				assert.Equal(t, "error", result.Verdict)
			}
		})
	}
}

func (f *faulty) await(glob string) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		if found, err := filepath.Glob(glob); err == nil && len(found) > 0 {
			return
		}
	}
	require.Fail(f.t, "nothing matches "+glob)
}

// TestInterruptedFilesAreWholeOrOld interrupts fix as it comes further in reading: each
// file that it mends is old or new, whenever the signal comes.
func TestInterruptedFilesAreWholeOrOld(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.edit(shippedBoard, `"uid": "${datasource}"`, `"uid": "prometeus"`)
	board := filepath.Join(f.dir, shippedBoard)
	before, err := os.ReadFile(board)
	require.NoError(t, err)
	require.Equal(t, exitClean, f.run("", "fix"), f.stderr.String())
	after, err := os.ReadFile(board)
	require.NoError(t, err)
	require.NotEqual(t, before, after)
	interrupted := 0
	for read := len(before) / 2; ; read += len(before) {
		require.NoError(t, os.WriteFile(board, before, 0o644))
		cmd := f.command("", "fix")
		require.NoError(t, cmd.Start())
		done := f.awaitRead(cmd.Process.Pid, read)
		require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		code := f.wait(cmd)
		now, err := os.ReadFile(board)
		require.NoError(t, err)
		switch code {
		case exitNotRun:
			interrupted++
			assert.Contains(t, f.stderr.String(), "interrupted while ")
			assert.True(t, bytes.Equal(now, before), "it says that it did not run")
		case exitClean:
			assert.True(t, bytes.Equal(now, after), "half a file")
		default: // it had not begun
			assert.Equal(t, -1, code)
			assert.True(t, bytes.Equal(now, before))
		}
		f.tidyBeside(board)
		if done {
			break
		}
	}
	assert.Positive(t, interrupted)
}

// awaitRead waits until a process has read so many bytes; done says that it ended before.
func (f *faulty) awaitRead(pid, bytes int) (done bool) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
		var read int
		if _, scanErr := fmt.Sscanf(string(data), "rchar: %d", &read); err != nil || scanErr != nil {
			return true // a process that has ended tells nothing any more
		}
		if read >= bytes {
			return false
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return true
		}
	}
	require.Fail(f.t, "it reads nothing")
	return true
}

// tidyBeside wants nothing but the file in its directory.
func (f *faulty) tidyBeside(file string) {
	found, err := os.ReadDir(filepath.Dir(file))
	require.NoError(f.t, err)
	assert.Len(f.t, found, 1)
}

// TestKilledLeavesNoFormerVerdict: what cannot be tidied must not mislead either.
func TestKilledLeavesNoFormerVerdict(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	f.edit(shippedBoard, `"from": "now-1h"`, `"from": "now-24h"`)
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, "result.json"), []byte(`{"verdict": "pass"}`), 0o644))
	cmd := f.command("", "--json", "result.json")
	require.NoError(t, cmd.Start())
	f.await(filepath.Join(f.tmp, "panelgate-*"))
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	assert.NoFileExists(t, filepath.Join(f.dir, "result.json"))
	// The next run is not misled by what is left.
	left, err := filepath.Glob(filepath.Join(f.tmp, "panelgate-*"))
	require.NoError(t, err)
	f.tmp = t.TempDir()
	for _, dir := range left {
		require.NoError(t, os.Rename(dir, filepath.Join(f.tmp, "panelgate-1-killed")))
	}
	f.edit(shippedBoard, `"from": "now-24h"`, `"from": "now-1h"`)
	cmd = f.command("", "--json", "result.json")
	require.NoError(t, cmd.Run(), f.stderr.String())
	assert.Equal(t, "pass", f.result("result.json", exitClean).Verdict)
}

// TestNobodyReads: whoever reads standard output goes away, or it can take no more.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	for _, args := range [][]string{{"--ndjson", "-"}, {"lint", "--json", "-"}, {"lint"}} {
		cmd := f.command("", args...)
		read, write, err := os.Pipe()
		require.NoError(t, err)
		cmd.Stdout = write
		require.NoError(t, read.Close())
		require.NoError(t, cmd.Start())
		require.NoError(t, write.Close())
		assert.Equal(t, exitNotRun, f.wait(cmd), args)
		assert.Contains(t, f.stderr.String(), "broken pipe", args)

		assert.Equal(t, exitNotRun, f.run("exec >/dev/full", args...), args)
		assert.Contains(t, f.stderr.String(), "no space left on device", args)
	}
	assert.Equal(t, exitNotRun, f.run("", "lint", "--json", "/dev/full"))
	assert.Contains(t, f.stderr.String(), "write the JSON report: ")
	assert.Equal(t, exitNotRun, f.run("exec 2>/dev/full", "lint", "--stack", "/nowhere"), "there is nobody to be told")
}

// TestFullDisk has no room for one thing after the other.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	// Every file has to be written anew and whole: half of the old one stays nowhere.
	small := f.mount("size=48k")
	require.NoError(t, os.WriteFile(filepath.Join(small, "result.json"), []byte(`{"verdict": "pass"}`), 0o644))
	assert.Equal(t, exitNotRun, f.run("", "--json", "small/result.json", "--html", "small/result.html"))
	assert.Contains(t, f.stderr.String(), "write the HTML report: ")
	assert.Contains(t, f.stderr.String(), "no space left on device")
	assert.NoFileExists(t, filepath.Join(small, "result.html"))
	assert.FileExists(t, filepath.Join(small, "result.json"))
	require.NoError(t, os.Remove(filepath.Join(small, "result.json")))
	f.tidy(small)

	assert.Equal(t, exitNotRun, f.run("", "--ndjson", "small/stream"))
	assert.Contains(t, f.stderr.String(), "write the event stream: ")
	stream, err := os.ReadFile(filepath.Join(small, "stream"))
	require.NoError(t, err)
	assert.NotContains(t, string(stream), `"event":"end"`)
	require.NoError(t, os.Remove(filepath.Join(small, "stream")))

	// The database has no room.
	f.edit(shippedBoard, `"from": "now-1h"`, `"from": "now-3h"`)
	f.tmp = small
	assert.Equal(t, exitNotRun, f.run("", "--json", "result.json"))
	assert.Contains(t, f.stderr.String(), "TMPDIR names another place")
	assert.Contains(t, f.stderr.String(), "no space left on device")
	assert.NotContains(t, f.stderr.String(), "goroutine")
	assert.Equal(t, "error", f.result("result.json", exitNotRun).Verdict)

	// Nor has its directory.
	f.edit(shippedBoard, `"from": "now-3h"`, `"from": "now-1h"`)
	f.tmp = f.mountAt("full", "size=48k,nr_inodes=1")
	assert.Equal(t, exitNotRun, f.run(""))
	assert.Contains(t, f.stderr.String(), "make a directory for the data (TMPDIR names another place for it)")
}

func (f *faulty) mount(options string) string { return f.mountAt("small", options) }

// mountAt mounts a file system in memory in the run's directory.
func (f *faulty) mountAt(name, options string) string {
	dir := filepath.Join(f.dir, name)
	require.NoError(f.t, os.Mkdir(dir, 0o755))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		need.Missing(f.t, "mount", err)
	}
	f.t.Cleanup(func() { assert.NoError(f.t, syscall.Unmount(dir, 0)) })
	return dir
}

// TestLimits gives the process few descriptors: it does its work, or says what it lacks.
func TestLimits(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	for _, limit := range []string{"64", "9"} { // in between, a server that cannot accept waits for long
		code := f.run("ulimit -n "+limit, "--json", "result.json")
		if code == exitClean {
			assert.Equal(t, "pass", f.result("result.json", code).Verdict)
		} else {
			assert.Equal(t, exitNotRun, code, limit)
			assert.Contains(t, f.stderr.String(), "too many open files", limit)
		}
	}
}

// TestReportsWhereNoneCanBe: a directory that takes no file, and a file that can only be
// written where it is.
func TestReportsWhereNoneCanBe(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	require.NoError(t, os.Mkdir(filepath.Join(f.dir, "fixed"), 0o755))
	for _, name := range []string{"fixed/result.json", "mounted.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte(`{"verdict": "pass"}`), 0o644))
	}
	mounted := filepath.Join(f.dir, "mounted.json")
	if err := syscall.Mount(filepath.Join(f.dir, "fixed", "result.json"), mounted, "", syscall.MS_BIND, ""); err != nil {
		need.Missing(t, "mount", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(mounted, 0)) })
	assert.Equal(t, exitClean, f.run("", "lint", "--json", "mounted.json"), f.stderr.String())
	require.NoError(t, os.Symlink("fixed/result.json", filepath.Join(f.dir, "link.json")))
	assert.Equal(t, exitClean, f.run("", "lint", "--json", "link.json"), f.stderr.String())
	assert.Equal(t, exitClean, f.run("exec >out.json", "lint", "--json", "/dev/stdout", "--no-color"), f.stderr.String())
	for _, name := range []string{"mounted.json", "link.json", "fixed/result.json"} {
		assert.NotNil(t, f.result(name, exitClean), name)
	}

	readOnly := f.mount("ro")
	assert.Equal(t, exitNotRun, f.run("", "lint", "--json", "small/result.json"))
	assert.Contains(t, f.stderr.String(), "read-only file system")
	f.tmp = readOnly
	assert.Equal(t, exitNotRun, f.run(""))
	assert.Contains(t, f.stderr.String(), "TMPDIR names another place")
}
