package browser_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/browser"
	"github.com/panelgate/panelgate/internal/chromium"
)

// mentioning are the processes whose environment or command line has a text in it: a
// browser's directory, which it and what it starts all know. The dead are left out.
func mentioning(t *testing.T, text string) (out []int) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range processes {
		stat, err := os.ReadFile(filepath.Join(p, "stat"))
		if err != nil || bytes.Contains(stat, []byte(") Z ")) {
			continue
		}
		for _, file := range []string{"environ", "cmdline"} {
			data, err := os.ReadFile(filepath.Join(p, file))
			if err != nil || !bytes.Contains(data, []byte(text)) {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(p))
			require.NoError(t, err)
			out = append(out, pid)
			break
		}
	}
	return out
}

func TestNothingIsLeftOfABrowser(t *testing.T) {
	program := chromium.Require(t)
	for name, end := range map[string]func(t *testing.T, b *browser.Browser, cancel context.CancelCauseFunc){
		"closed": func(t *testing.T, b *browser.Browser, _ context.CancelCauseFunc) {
			t.Helper()
			require.NoError(t, b.Close())
		},
		"context ended": func(t *testing.T, _ *browser.Browser, cancel context.CancelCauseFunc) {
			t.Helper()
			cancel(errors.New("time is up"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			tmp, err := os.MkdirTemp("", "")
			require.NoError(t, err)
			defer func() { assert.NoError(t, os.RemoveAll(tmp)) }()
			t.Setenv("TMPDIR", tmp)
			t.Setenv("PANELGATE_GRAFANA_TOKEN", "not-for-browsers")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			b, err := browser.Start(ctx, program)
			require.NoError(t, err)
			defer func() {
				assert.NoError(t, b.Close(), "once more")
				left, err := filepath.Glob(filepath.Join(tmp, "panelgate-*"))
				assert.NoError(t, err)
				assert.Empty(t, left)
			}()
			_, img := take(t, b, browser.Shot{URL: page(t, strings.Replace(late, "HEIGHT", "50", 1)), Width: 300, Scale: 1, Ready: isReady, Element: "#it"})
			assertColor(t, red(), img, 1, 1)
			running := mentioning(t, tmp)
			require.Greater(t, len(running), 2, "a browser is several processes")
			for _, pid := range running {
				environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
				if err == nil { // else it has ended by itself
					assert.NotContains(t, string(environ), "not-for-browsers")
				}
			}

			end(t, b, cancel)
			assert.Eventually(t, func() bool { return len(mentioning(t, tmp)) == 0 }, time.Minute, 10*time.Millisecond)
			_, err = b.Take(t.Context(), browser.Shot{URL: "about:blank", Width: 10, Scale: 1, Ready: "true"})
			require.ErrorContains(t, err, "the browser has ended")
		})
	}
}
