package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/recording"
)

// TestInterruptedRecord interrupts a recording before there is anything to keep, between two scrapes, and, by a second signal, while
// the file is written: it is whole or not there.
func TestInterruptedRecord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		signal []syscall.Signal
		at     int // the scrape that is not answered
	}{
		{"nothing yet", []syscall.Signal{syscall.SIGTERM}, 1},
		{"by ctrl-C", []syscall.Signal{syscall.SIGINT}, 3},
		{"by SIGTERM", []syscall.Signal{syscall.SIGTERM}, 3},
		{"by SIGHUP", []syscall.Signal{syscall.SIGHUP}, 2},
		{"twice", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := make(chan struct{}, 9)
			n := 0 // one scrape at a time
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n++; n == test.at {
					asked <- struct{}{}
					<-r.Context().Done()
					return
				}
				_, err := io.WriteString(w, "up_and_running 1\n")
				assert.NoError(t, err)
			}))
			defer server.Close()
			f := newFaulty(t)
			cmd := f.command("", "record", "--from", server.URL, "--for", "30m", "--every", "1s", "-o", "box.rec")
			require.NoError(t, cmd.Start())
			<-asked
			for _, signal := range test.signal {
				require.NoError(t, cmd.Process.Signal(signal))
			}
			code := f.wait(cmd)
			left, err := filepath.Glob(filepath.Join(f.dir, ".box.rec*"))
			require.NoError(t, err)
			assert.Empty(t, left, "half a file")
			data, err := os.ReadFile(filepath.Join(f.dir, "box.rec"))
			if test.at == 1 {
				assert.Equal(t, exitNotRun, code)
				assert.Contains(t, f.stderr.String(), "interrupted before the first scrape was there")
				assert.ErrorIs(t, err, os.ErrNotExist)
				return
			}
			if len(test.signal) > 1 && code == exitNotRun && errors.Is(err, os.ErrNotExist) {
				return // the second one gives a second more, which a busy machine does not keep
			}
			require.NoError(t, err, f.stderr.String())
			r, err := recording.Read(data, recording.Limits{})
			require.NoError(t, err)
			assert.Len(t, r.Scrapes, test.at-1)
			if len(test.signal) > 1 && code == exitNotRun {
				return
			}
			assert.Contains(t, f.stderr.String(), "what there is by now is kept")
			assert.Equal(t, exitClean, code)
		})
	}
}

// TestInterruptedReading interrupts commands that only read, once they have begun to.
func TestInterruptedReading(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run("merge "+signal.String(), func(t *testing.T) {
			f := newFaulty(t)
			require.Equal(t, exitClean, f.run("", "lint", "--shard", "1/1", "--json", "1.json"), f.stderr.String())
			data, err := os.ReadFile(filepath.Join(f.dir, "1.json"))
			require.NoError(t, err)
			const padding = 32 << 20
			data = append(data, bytes.Repeat([]byte(" "), padding)...)
			for _, name := range []string{"1.json", "2.json", "3.json", "4.json"} {
				require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), data, 0o600))
			}
			cmd := f.command("", "merge", "1.json", "2.json", "3.json", "4.json", "--json", "result.json")
			require.NoError(t, cmd.Start())
			f.awaitRead(cmd.Process.Pid, padding)
			require.NoError(t, cmd.Process.Signal(signal))
			assert.Equal(t, exitNotRun, f.wait(cmd), f.stderr.String())
			assert.Contains(t, f.stderr.String(), "interrupted while reading the shards")
			if result := f.result("result.json", exitNotRun); assert.NotNil(t, result) {
				assert.Equal(t, "error", result.Verdict)
			}
		})
		t.Run("verify-fake "+signal.String(), func(t *testing.T) {
			f := newFaulty(t)
			text := append(bytes.Repeat([]byte("# padding\n"), 1<<16), "nv_inference_count{model=\"resnet\",version=\"1\"} 5\n"...)
			require.NoError(t, os.WriteFile(filepath.Join(f.dir, "real.prom"), text, 0o600))
			cmd := f.command("", "verify-fake", "--against", "real.prom", "--json", "result.json")
			require.NoError(t, cmd.Start())
			f.awaitRead(cmd.Process.Pid, len(text))
			require.NoError(t, cmd.Process.Signal(signal))
			assert.Equal(t, exitNotRun, f.wait(cmd), f.stderr.String())
			assert.Contains(t, f.stderr.String(), "interrupted while comparing")
			assert.NoFileExists(t, filepath.Join(f.dir, "result.json"))
		})
	}
}
