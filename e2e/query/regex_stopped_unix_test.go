//go:build unix

package query

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// matchingChild tells this test's binary to match until its input ends.
const matchingChild = "PANELGATE_TEST_MATCHING"

// A process that gets no time, on a busy machine or while it is suspended, does not blame
// that on the regular expressions which it was matching.
func TestRegexOfAStoppedProcess(t *testing.T) {
	if os.Getenv(matchingChild) != "" {
		matchUntilEOF(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRegexOfAStoppedProcess$")
	child.Env = append(os.Environ(), matchingChild+"=1")
	stdin, err := child.StdinPipe()
	require.NoError(t, err)
	stdout, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	said := bufio.NewReader(stdout)
	line, err := said.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "matching\n", line)
	require.NoError(t, child.Process.Signal(syscall.SIGSTOP))
	time.Sleep(matchBudget + matchBudget/5) // what is done to it, not what is waited for
	require.NoError(t, child.Process.Signal(syscall.SIGCONT))
	require.NoError(t, stdin.Close())
	rest, err := io.ReadAll(said)
	require.NoError(t, err)
	assert.NoError(t, child.Wait(), string(rest))
}

// matchUntilEOF matches, nearly all the time within one call.
func matchUntilEOF(t *testing.T) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	texts := make([]string, 200)
	for i := range texts {
		texts[i] = strings.Repeat("a", 10) + "b"
	}
	for first := true; ; first = false {
		re, err := compileRegex("/^(a+)+$/")
		require.NoError(t, err)
		_, err = re.matchAll(texts)
		require.NoError(t, err)
		if first {
			fmt.Println("matching")
		}
		select {
		case <-ended:
			return
		default:
		}
	}
}
